"""Pane 1: the environments of the config, and the state of their last checks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.environments.model import Environment
from stacktui.text.times import moment_text
from stacktui.transport.proxy import without_credentials
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import PROVIDERS, clock, duration, state_spans
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.tui.live_check import LiveCheck


class EnvironmentsPane(ListPane):
    """The highlighted environment is the one that the other panes show."""

    caption = "Environments"
    strip_captions = ("Environments", "Envs")
    number = "1"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "screen.use", "make active"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._strip_state: tuple[Span, ...] = ()

    def update(self, app_state: AppState) -> None:
        rows = [row(each, app_state, self.screen_style.glyphs) for each in app_state.environments]
        self.show(
            rows,
            (),
            empty(app_state),
            folded_summary=folded_summary(app_state, self.screen_style.glyphs),
        )
        self._strip_state = counted(app_state, self.screen_style.glyphs)

    def strip_state(self) -> tuple[Span, ...]:
        return self._strip_state


def row(environment: Environment, app_state: AppState, glyphs: Glyphs) -> Row:
    check = app_state.checks.get(environment.name)
    active = app_state.settings is not None and app_state.settings.active == environment.name
    mark = (Span(f"{glyphs.active} ", TextStyle.ACCENT),) if active else ()
    time, when = _duration(check), _time(check)
    state, brief = state_spans(check, glyphs), state_spans(check, glyphs, brief=True)
    return Row(
        environment.name,
        (*mark, Span(environment.name)),
        ((state, time, when), (state, when), (state,), (brief,)),
    )


def folded_summary(app_state: AppState, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return the current environment and its state, for the folded pane."""
    if app_state.config_error:
        return (Span(f"{glyphs.failed} config", TextStyle.ERROR),)
    if app_state.environment is None:
        return (Span("none", TextStyle.DIM),)
    name = app_state.current or ""
    states = state_spans(app_state.check, glyphs, brief=True) if app_state.check else ()
    return (Span(name, TextStyle.DIM), *(Span(f" {span.text}", span.style) for span in states))


def counted(app_state: AppState, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return how many environments there are, and how many of them failed their last check."""
    if app_state.config_error:
        return (Span(f"{glyphs.failed} config", TextStyle.ERROR),)
    failed = sum(check.verdict is not None for check in app_state.checks.values())
    total = Span(str(len(app_state.environments)), TextStyle.DIM)
    if not failed:
        return (total,)
    return (
        total,
        Span(glyphs.dot, TextStyle.DIM),
        Span(f"{failed} {glyphs.failed}", TextStyle.ERROR),
    )


def empty(app_state: AppState) -> tuple[Line, ...]:
    """Return what to do if the config is broken or has no environments."""
    if app_state.config_error:
        return (
            line(Span("The config cannot be used.", TextStyle.ERROR)),
            BLANK,
            line(app_state.config_error),
            BLANK,
            line(
                Span("Fix the file, then press ", TextStyle.DIM),
                Span("r", TextStyle.KEY),
                Span(" to read it again. Nothing is written to it.", TextStyle.DIM),
            ),
        )
    offers = [line(Span("a", TextStyle.KEY), "  add one: paste its ARM URL", indent=3)]
    if app_state.demo_on_offer:
        demo = "  demo: a simulated stamp on this machine"
        offers.append(line(Span("d", TextStyle.KEY), demo, indent=3))
    return (line("No environments yet."), BLANK, *offers)


def detail(environment: Environment, app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return an environment's settings, and what its last check found."""
    lines = [
        label_value("ARM", environment.arm),
        *_sign_in(app_state),
        label_value("profile", environment.profile),
        label_value(
            "identity", _or_default(environment.identity, "none: only metadata is checked")
        ),
        label_value("subscription", _or_default(environment.subscription, "the first enabled one")),
    ]
    if environment.ca:
        lines.append(label_value("ca", str(environment.ca)))
    if environment.proxy:
        lines.append(label_value("proxy", without_credentials(environment.proxy)))
    lines += [
        label_value("resolve", f"{name} {glyphs.running} {address}")
        for name, address in environment.resolve.items()
    ]
    check = app_state.checks.get(environment.name)
    lines += _recorded(check, app_state)
    lines += [
        BLANK,
        label_value("last check", *_last_check(environment.name, app_state, glyphs)),
        label_value("config", Span(str(app_state.config), TextStyle.DIM)),
    ]
    return tuple(lines)


def _last_check(name: str, app_state: AppState, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return the state of the last check, and of one before this start since when it is so."""
    check, known = app_state.checks.get(name), app_state.history.get(name)
    if check is not None or known is None or known.last is None:
        return (*state_spans(check, glyphs), *_duration_and_time(check, glyphs))
    from stacktui.check.streak import outcome_word, since_of, since_text

    last, now = known.last, datetime.now(UTC)
    symbol, style = {
        True: (glyphs.ok, TextStyle.OK),
        False: (glyphs.failed, TextStyle.ERROR),
        None: (glyphs.skipped, TextStyle.DIM),
    }[last.ok]
    parts = (
        duration(last.seconds),
        moment_text(last.started, now, None),
        since_text(since_of(known.streaks), now, None),
    )
    state = Span(f"{symbol} {outcome_word(last.ok, last.verdict)}", style)
    return (state, *(Span(f"{glyphs.dot}{each}", TextStyle.DIM) for each in parts if each))


def _recorded(check: LiveCheck | None, app_state: AppState) -> list[Line]:
    """Return what was recorded of the stamp on first use, with which a check compares it."""
    known = check.report.recorded if check and check.report else None
    if known is None:
        return []
    root = app_state.certificates.get(known.signer)
    signs = f", {root.issuer_name} signs" if root and root.issuer_name else ""
    return [label_value("recorded", f"{known.recorded:%Y-%m-%d}: {known.login_endpoint}{signs}")]


def _sign_in(app_state: AppState) -> list[Line]:
    metadata = app_state.check.metadata if app_state.check else None
    if metadata is None:
        return []
    provider = PROVIDERS[metadata.identity_provider]
    return [label_value("sign-in", f"{provider}, {metadata.login_endpoint}")]


def _or_default(value: str | None, default: str) -> Span:
    return Span(value) if value else Span(default, TextStyle.DIM)


def _duration(check: LiveCheck | None) -> tuple[Span, ...]:
    report = check.report if check else None
    return (Span(duration(report.seconds), TextStyle.DIM),) if report else ()


def _time(check: LiveCheck | None) -> tuple[Span, ...]:
    return (Span(clock(check.started), TextStyle.DIM),) if check and check.started else ()


def _duration_and_time(check: LiveCheck | None, glyphs: Glyphs) -> tuple[Span, ...]:
    parts = (*_duration(check), *_time(check))
    return tuple(Span(f"{glyphs.dot}{part.text}", TextStyle.DIM) for part in parts)
