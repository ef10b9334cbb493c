"""Pane 3: the identities, where their secrets are kept, and the claims of the last token."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.identities.model import CertificateRef, Identity, IdentityKind
from stacktui.identities.origin import IdentityOrigin
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import clock, day
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.widgets.list_pane import ListPane, Row, Rows

if TYPE_CHECKING:
    from stacktui.identities.token import TokenFacts


class IdentitiesPane(ListPane):
    """Shows all identities of the config, with a state for the current environment's."""

    caption = "Identities"
    strip_captions = ("Identities", "Ids")
    number = "3"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "screen.add_identity", "add identity", id="add"),
        Binding("e", "screen.edit_identity", "edit", id="edit"),
        Binding("T", "screen.test_identity", "test", id="test"),
        Binding("A", "screen.duplicate_identity", "copy identity", id="copy", show=False),
        Binding("I", "screen.import_identities", "import from az", id="import", show=False),
        Binding("D", "screen.remove_identity", "remove", id="remove", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._in_use: str | None = None

    def update(self, app_state: AppState) -> None:
        glyphs = self.screen_style.glyphs
        settings, environment = app_state.settings, app_state.environment
        known = settings.identities if settings else {}
        in_use = known.get((environment and environment.identity) or "")
        if in_use is not None and in_use.name != self._in_use:
            self.choose(in_use.name)  # the bar goes along with the environment
        self._in_use = in_use.name if in_use else None
        names = (*known, *(settings.identity_errors if settings else ()))
        rows = Rows(
            tuple(sorted(names, key=lambda name: in_use is None or name != in_use.name)),
            lambda name: row(name, app_state, glyphs),
            lambda name: row(name, app_state, glyphs).text,
        )
        short = (_short_state(in_use, app_state, glyphs),) if in_use else ()
        self.show(
            rows, summary(app_state), empty(app_state), short_summaries=(short,) if short else ()
        )


def row(name: str, app_state: AppState, glyphs: Glyphs) -> Row:
    identity = app_state.settings.identities.get(name) if app_state.settings else None
    if identity is None:
        unusable = (Span(f"{glyphs.failed} unusable", TextStyle.ERROR),)
        return Row(name, (Span(name),), (((), unusable), (unusable,)))
    kind = (Span(identity.kind.words, TextStyle.DIM),)
    state = (_state(identity, app_state, glyphs),)
    in_use = _in_use(identity, app_state)
    mark = (Span(f"{glyphs.active} ", TextStyle.ACCENT),) if in_use else ()
    return Row(name, (*mark, Span(name)), ((kind, state), (state,)))


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
    offer = line(
        Span("a", TextStyle.KEY), "  add one; an environment names it: e in its pane", indent=3
    )
    return (line("No identities yet."), BLANK, offer)


def detail(identity: Identity, app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return the identity's settings and the claims of its token, never the token."""
    lines = [
        label_value("kind", identity.kind.words),
        *_account(identity),
        *_credential(identity),
        label_value("came from", came_from(identity, app_state)),
        BLANK,
    ]
    facts = token_facts(app_state)
    if facts is None or not _in_use(identity, app_state):
        return (*lines, label_value("token", Span(_reason(identity, app_state), TextStyle.DIM)))
    return (*lines, *token_lines(facts, glyphs))


def _account(identity: Identity) -> list[Line]:
    """Return the account and its tenant."""
    known = (
        ("user name", identity.username),
        ("client id", identity.client_id),
        ("object id", identity.object_id),
        ("resource id", identity.resource_id),
    )
    lines = [label_value(label, value) for label, value in known if value]
    if identity.kind is IdentityKind.MANAGED_IDENTITY:
        return lines or [label_value("which", "the machine's own")]
    whose = "from az" if identity.kind is IdentityKind.AZURE_CLI else "from the environment"
    return [*lines, label_value("tenant", identity.tenant or Span(whose, TextStyle.DIM))]


def came_from(identity: Identity, app_state: AppState) -> str:
    """Return where it came from; the line of its table only once the config was read for that."""
    known = app_state.identity_origins.get(identity.name)
    if known is None:
        known = IdentityOrigin(app_state.config, imported_from=identity.imported_from)
    return known.words


def _credential(identity: Identity) -> list[Line]:
    lines, found = [], identity.credential
    if isinstance(found, CertificateRef):
        lines.append(label_value("certificate", str(found.path)))
    if identity.secret is not None:
        label = identity.secret_name.removeprefix("certificate ")
        lines.append(label_value(label, f"from {identity.secret}"))
    return lines


def token_lines(facts: TokenFacts, glyphs: Glyphs) -> list[Line]:
    """Return the claims of a token."""
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
    """Return the facts of the current environment's last token."""
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


def _short_state(identity: Identity, app_state: AppState, glyphs: Glyphs) -> Span:
    state = _state(identity, app_state, glyphs)
    return Span(f"{identity.name} {state.text[:1]}", state.style)


def _reason(identity: Identity, app_state: AppState) -> str:
    if not _in_use(identity, app_state):
        return f"not used by {app_state.current or 'any environment'}"
    why = app_state.check.why_no_token if app_state.check else ""
    return why or "none yet: press c to check"
