"""Pane 3: who signs in, where the secret is kept, and what the last token said of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.identities.model import CertificateRef, Identity, IdentityKind
from stacktui.tui.app_state import Session
from stacktui.tui.formatting import clock, day
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.identities.token import TokenFacts


class IdentitiesPane(ListPane):
    """All identities of the config; the one that the current environment uses has a state."""

    caption = "Identities"
    number = "3"

    def update(self, session: Session) -> None:
        rows = [row(each, session, self.look.glyphs) for each in session.identities]
        self.show(rows, summary(session), empty(session))


def row(identity: Identity, session: Session, glyphs: Glyphs) -> Row:
    kind = (Span(identity.kind.words, Role.DIM),)
    state = (_state(identity, session, glyphs),)
    return Row(identity.name, (Span(identity.name),), ((kind, state), (state,)))


def summary(session: Session) -> tuple[Span, ...]:
    environment = session.environment
    if environment is None:
        return ()
    if environment.identity is None:
        return (Span("none in use", Role.DIM),)
    token = "token" if token_facts(session) else "no token"
    return (Span(f"{environment.identity}, {token}", Role.DIM),)


def empty(session: Session) -> tuple[Line, ...]:
    if not session.environments:
        return (line(Span("Who signs in to an environment.", Role.DIM)),)
    return (line("None in the config. Add [identities.NAME], and name it in the environment."),)


def detail(identity: Identity, session: Session, glyphs: Glyphs) -> tuple[Line, ...]:
    """The identity as configured; of a token its facts, never the token."""
    lines = [field("kind", identity.kind.words), *_who(identity), *_credential(identity), BLANK]
    facts = token_facts(session)
    if facts is None or not _in_use(identity, session):
        return (*lines, field("token", Span(_why_none(identity, session), Role.DIM)))
    return (*lines, *token_lines(facts, glyphs))


def _who(identity: Identity) -> list[Line]:
    """Whom the identity speaks for, and where."""
    known = (
        ("user name", identity.username),
        ("client id", identity.client_id),
        ("object id", identity.object_id),
        ("resource id", identity.resource_id),
    )
    lines = [field(label, value) for label, value in known if value]
    if identity.kind is IdentityKind.MANAGED_IDENTITY:
        return lines or [field("which", "the machine's own")]
    return [*lines, field("tenant", identity.tenant or Span("told by the environment", Role.DIM))]


def _credential(identity: Identity) -> list[Line]:
    match identity.credential:
        case None:
            return []
        case CertificateRef(path=path):
            return [field("certificate", str(path))]
    what = "password" if identity.kind is IdentityKind.USER else "secret"
    return [field(what, f"from {identity.credential}")]


def token_lines(facts: TokenFacts, glyphs: Glyphs) -> list[Line]:
    """What a token says of itself."""
    lines = [field("token", Span(f"{glyphs.ok} issued", Role.OK))]
    if facts.expires:
        lines.append(field("expires", f"{day(facts.expires.astimezone())} {clock(facts.expires)}"))
    known = (
        ("subject", facts.subject),
        ("object id", facts.object_id),
        ("audience", facts.audience),
        ("issuer", facts.issuer),
        ("tenant", facts.tenant),
        ("authority", facts.authority),
        ("scope", facts.scope),
    )
    return [*lines, *(field(label, value) for label, value in known if value)]


def token_facts(session: Session) -> TokenFacts | None:
    """The facts of the current environment's last token."""
    return session.check.token if session.check else None


def _in_use(identity: Identity, session: Session) -> bool:
    environment = session.environment
    return environment is not None and environment.identity == identity.name


def _state(identity: Identity, session: Session, glyphs: Glyphs) -> Span:
    if not _in_use(identity, session):
        return Span("")
    if facts := token_facts(session):
        until = f" until {clock(facts.expires)}" if facts.expires else ""
        return Span(f"{glyphs.ok} token{until}", Role.OK)
    if session.check and session.check.token_refused:
        return Span(f"{glyphs.failed} no token", Role.ERROR)
    return Span(f"{glyphs.skipped} no token", Role.DIM)


def _why_none(identity: Identity, session: Session) -> str:
    if not _in_use(identity, session):
        return f"not used by {session.current or 'any environment'}"
    why = session.check.why_no_token if session.check else ""
    return why or "none yet: press c to check"
