"""Pane 1: the environments of the config, and how each one's last check ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.environments.model import Environment
from stacktui.transport.proxy import without_credentials
from stacktui.tui.app_state import Session
from stacktui.tui.formatting import PROVIDERS, clock, duration, state_spans
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.tui.live_check import LiveCheck


class EnvironmentsPane(ListPane):
    """The bar chooses the environment that every other pane speaks of."""

    caption = "Environments"
    number = "1"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "screen.use", "make active"),
    ]

    def update(self, session: Session) -> None:
        rows = [row(each, session, self.look.glyphs) for each in session.environments]
        self.show(rows, (), empty(session), folded=folded(session, self.look.glyphs))


def row(environment: Environment, session: Session, glyphs: Glyphs) -> Row:
    check = session.checks.get(environment.name)
    active = session.settings is not None and session.settings.active == environment.name
    mark = (Span(f"{glyphs.active} ", Role.ACCENT),) if active else ()
    time, when = _took(check), _when(check)
    state, brief = state_spans(check, glyphs), state_spans(check, glyphs, brief=True)
    return Row(
        environment.name,
        (*mark, Span(environment.name)),
        ((state, time, when), (state, when), (state,), (brief,)),
    )


def folded(session: Session, glyphs: Glyphs) -> tuple[Span, ...]:
    """The current environment and its state, while the pane is folded."""
    if session.trouble:
        return (Span(f"{glyphs.failed} config", Role.ERROR),)
    if session.environment is None:
        return (Span("none", Role.DIM),)
    name = session.current or ""
    states = state_spans(session.check, glyphs, brief=True) if session.check else ()
    return (Span(name, Role.DIM), *(Span(f" {span.text}", span.role) for span in states))


def empty(session: Session) -> tuple[Line, ...]:
    """What to do next when there is nothing to choose from."""
    if session.trouble:
        return (
            line(Span("The config cannot be used.", Role.ERROR)),
            BLANK,
            line(session.trouble),
            BLANK,
            line(
                Span("Mend the file, then press ", Role.DIM),
                Span("r", Role.KEY),
                Span(" to read it again. Nothing is written to it.", Role.DIM),
            ),
        )
    offers = [line(Span("a", Role.KEY), "  add one: paste its ARM URL", hang=3)]
    if session.demo_on_offer:
        demo = "  demo: a simulated stamp on this machine"
        offers.append(line(Span("d", Role.KEY), demo, hang=3))
    return (line("No environments yet."), BLANK, *offers)


def detail(environment: Environment, session: Session, glyphs: Glyphs) -> tuple[Line, ...]:
    """Everything that the config and the last check say of one environment."""
    lines = [
        field("ARM", environment.arm),
        *_sign_in(session),
        field("profile", environment.profile),
        field("identity", *_or_none(environment.identity, "none: only metadata is checked")),
        field("subscription", *_or_none(environment.subscription, "the first enabled one")),
    ]
    if environment.ca:
        lines.append(field("ca", str(environment.ca)))
    if environment.proxy:
        lines.append(field("proxy", without_credentials(environment.proxy)))
    lines += [
        field("resolve", f"{name} {glyphs.running} {address}")
        for name, address in environment.resolve.items()
    ]
    check = session.checks.get(environment.name)
    lines += _recorded(check, session)
    lines += [
        BLANK,
        field("last check", *state_spans(check, glyphs), *_at(check, glyphs)),
        field("config", Span(str(session.config), Role.DIM)),
    ]
    return tuple(lines)


def _recorded(check: LiveCheck | None, session: Session) -> list[Line]:
    """What the last check knew of the stamp from before: by it, drift is noticed."""
    known = check.report.recorded if check and check.report else None
    if known is None:
        return []
    root = session.certificates.get(known.top)
    signs = f", {root.issuer_name} signs" if root and root.issuer_name else ""
    told = f"{known.recorded:%Y-%m-%d}: {known.login_endpoint}{signs}"
    return [field("recorded", told)]


def _sign_in(session: Session) -> list[Line]:
    metadata = session.check.metadata if session.check else None
    if metadata is None:
        return []
    return [field("sign-in", f"{PROVIDERS[metadata.identity_provider]}, {metadata.login_endpoint}")]


def _or_none(value: str | None, without: str) -> tuple[Span, ...]:
    return (Span(value),) if value else (Span(without, Role.DIM),)


def _took(check: LiveCheck | None) -> tuple[Span, ...]:
    report = check.report if check else None
    return (Span(duration(report.seconds), Role.DIM),) if report else ()


def _when(check: LiveCheck | None) -> tuple[Span, ...]:
    return (Span(clock(check.started), Role.DIM),) if check and check.started else ()


def _at(check: LiveCheck | None, glyphs: Glyphs) -> tuple[Span, ...]:
    parts = (*_took(check), *_when(check))
    return tuple(Span(f"{glyphs.dot}{part.text}", Role.DIM) for part in parts)
