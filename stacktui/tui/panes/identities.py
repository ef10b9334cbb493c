"""Pane 3: who signs in, where the secret is kept, and what the last token said of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.identities.model import CertificateRef, Identity, IdentityKind
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import clock, day
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.identities.token import TokenFacts


class IdentitiesPane(ListPane):
    """All identities of the config; the one that the current environment uses has a state."""

    caption = "Identities"
    number = "3"

    def update(self, app_state: AppState) -> None:
        rows = [row(each, app_state, self.screen_style.glyphs) for each in app_state.identities]
        self.show(rows, summary(app_state), empty(app_state))


def row(identity: Identity, app_state: AppState, glyphs: Glyphs) -> Row:
    kind = (Span(identity.kind.words, TextStyle.DIM),)
    state = (_state(identity, app_state, glyphs),)
    return Row(identity.name, (Span(identity.name),), ((kind, state), (state,)))


def summary(app_state: AppState) -> tuple[Span, ...]:
    environment = app_state.environment
    if environment is None:
        return ()
    if environment.identity is None:
        return (Span("none in use", TextStyle.DIM),)
    token = "token" if token_facts(app_state) else "no token"
    return (Span(f"{environment.identity}, {token}", TextStyle.DIM),)


def empty(app_state: AppState) -> tuple[Line, ...]:
    if not app_state.environments:
        return (line(Span("Who signs in to an environment.", TextStyle.DIM)),)
    return (line("None in the config. Add [identities.NAME], and name it in the environment."),)


def detail(identity: Identity, app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    """The identity as configured; of a token its facts, never the token."""
    lines = [
        label_value("kind", identity.kind.words),
        *_who(identity),
        *_credential(identity),
        BLANK,
    ]
    facts = token_facts(app_state)
    if facts is None or not _in_use(identity, app_state):
        return (*lines, label_value("token", Span(_why_none(identity, app_state), TextStyle.DIM)))
    return (*lines, *token_lines(facts, glyphs))


def _who(identity: Identity) -> list[Line]:
    """Whom the identity speaks for, and where."""
    known = (
        ("user name", identity.username),
        ("client id", identity.client_id),
        ("object id", identity.object_id),
        ("resource id", identity.resource_id),
    )
    lines = [label_value(label, value) for label, value in known if value]
    if identity.kind is IdentityKind.MANAGED_IDENTITY:
        return lines or [label_value("which", "the machine's own")]
    return [
        *lines,
        label_value("tenant", identity.tenant or Span("told by the environment", TextStyle.DIM)),
    ]


def _credential(identity: Identity) -> list[Line]:
    match identity.credential:
        case None:
            return []
        case CertificateRef(path=path):
            return [label_value("certificate", str(path))]
    what = "password" if identity.kind is IdentityKind.USER else "secret"
    return [label_value(what, f"from {identity.credential}")]


def token_lines(facts: TokenFacts, glyphs: Glyphs) -> list[Line]:
    """What a token says of itself."""
    lines = [label_value("token", Span(f"{glyphs.ok} issued", TextStyle.OK))]
    if facts.expires:
        lines.append(
            label_value("expires", f"{day(facts.expires.astimezone())} {clock(facts.expires)}")
        )
    known = (
        ("subject", facts.subject),
        ("object id", facts.object_id),
        ("audience", facts.audience),
        ("issuer", facts.issuer),
        ("tenant", facts.tenant),
        ("authority", facts.authority),
        ("scope", facts.scope),
    )
    return [*lines, *(label_value(label, value) for label, value in known if value)]


def token_facts(app_state: AppState) -> TokenFacts | None:
    """The facts of the current environment's last token."""
    return app_state.check.token if app_state.check else None


def _in_use(identity: Identity, app_state: AppState) -> bool:
    environment = app_state.environment
    return environment is not None and environment.identity == identity.name


def _state(identity: Identity, app_state: AppState, glyphs: Glyphs) -> Span:
    if not _in_use(identity, app_state):
        return Span("")
    if facts := token_facts(app_state):
        until = f" until {clock(facts.expires)}" if facts.expires else ""
        return Span(f"{glyphs.ok} token{until}", TextStyle.OK)
    if app_state.check and app_state.check.token_failed:
        return Span(f"{glyphs.failed} no token", TextStyle.ERROR)
    return Span(f"{glyphs.skipped} no token", TextStyle.DIM)


def _why_none(identity: Identity, app_state: AppState) -> str:
    if not _in_use(identity, app_state):
        return f"not used by {app_state.current or 'any environment'}"
    why = app_state.check.why_no_token if app_state.check else ""
    return why or "none yet: press c to check"
