"""Pane 0: the current environment's check with its steps, verdict and remedies, live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.step_names import STANDING, step_label
from stacktui.check.summary import METADATA_ONLY
from stacktui.tui.app_state import AppState
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import clock, duration
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, line
from stacktui.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.check.target import CheckTarget
    from stacktui.config.document import ConfigError
    from stacktui.tui.live_check import LiveCheck


class CheckPane(TextPane):
    """Shows the current environment's last check, or how to start one."""

    caption = "Check"
    number = "0"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.zoom", "details", id="open"),
        Binding("Y", "screen.copy_report", "copy report", id="copy_report"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._check: LiveCheck | None = None
        self._target: CheckTarget | None = None
        self._unusable: ConfigError | None = None
        self._can_grant = False
        self._granted_at: datetime | None = None
        self._certificates: Mapping[bytes, Certificate] = {}

    def update(self, app_state: AppState) -> None:
        before, self._check, self._target = self._check, app_state.check, app_state.target
        self._certificates, self._unusable = app_state.certificates, app_state.unusable
        self._can_grant, self._granted_at = app_state.can_grant, app_state.granted_at
        if self._check is not None and self._check.running and not (before and before.running):
            self.scroll_to_top()
        self.redraw()

    def zoom_changed(self) -> None:
        """A zoomed pane also shows every request and chain."""
        self.scroll_to_top()

    def summary(self) -> tuple[Span, ...]:
        return () if self._unusable else summary(self._check, self.screen_style.glyphs)

    def text_lines(self, width: int) -> Sequence[Line]:
        glyphs = self.screen_style.glyphs
        if self._unusable is not None:
            return (line(Span(f"{glyphs.failed} {self._unusable}", TextStyle.ERROR), indent=2),)
        if self._check is None:
            return start_hint(self._target, glyphs)
        # Imports a report's types: with the first check, not before the first frame.
        from stacktui.tui.panes.check_result import check_lines

        lines = check_lines(
            self._check,
            width,
            glyphs,
            whole=self.zoomed,
            now=monotonic(),
            can_grant=self._can_grant,
            granted_at=self._granted_at,
        )
        if self.zoomed:
            from stacktui.tui.panes.check_timeline import timeline_lines

            lines += timeline_lines(self._check, self._certificates, glyphs)
        return lines


def summary(check: LiveCheck | None, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return the time, the duration and the outcome: `03:12:09 · 0.14 s · FAULT`."""
    if check is None:
        return ()
    known = [clock(check.started)] if check.started else []
    if check.report:
        known.append(duration(check.report.seconds))
    word, style = _outcome(check)
    return (*(Span(part + glyphs.dot, TextStyle.DIM) for part in known), Span(word, style))


def _outcome(check: LiveCheck) -> tuple[str, TextStyle]:
    match check.state:
        case CheckState.RUNNING:
            return ("queued", TextStyle.DIM) if check.queued else ("running", TextStyle.ACCENT)
        case CheckState.CANCELLED:
            return "cancelled", TextStyle.WARNING
        case CheckState.BROKEN:
            return "internal error", TextStyle.ERROR
    if check.undecided:
        return "undecided", TextStyle.WARNING
    if check.metadata_only:
        return METADATA_ONLY, TextStyle.OK
    return ("OK", TextStyle.OK) if check.healthy else ("FAULT", TextStyle.ERROR)


def start_hint(target: CheckTarget | None, glyphs: Glyphs) -> list[Line]:
    """Return the steps of a check, and the key that starts it."""
    labels = map(step_label, STANDING)
    steps = [line(Span(f"{glyphs.pending} {label}", TextStyle.DIM)) for label in labels]
    if target is None:
        return [*steps, BLANK, line(Span("Nothing to check yet.", TextStyle.DIM))]
    return [
        *steps,
        BLANK,
        line(
            "Press ",
            Span("c", TextStyle.KEY),
            " to check ",
            Span(target.environment.name, TextStyle.STRONG),
            ".",
        ),
    ]
