"""The check, live: always on screen, with the three steps, the verdict and the mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.tui.app_state import AppState
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import STEP_WORDS, clock, duration
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, line
from stacktui.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.check.target import Target
    from stacktui.tui.live_check import LiveCheck


class CheckPane(TextPane):
    """Always on screen. It shows the current environment's last check, or how to start one."""

    caption = "Check"
    number = "0"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.zoom", "whole story"),
        Binding("Y", "screen.copy_report", "copy report"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._check: LiveCheck | None = None
        self._target: Target | None = None
        self._certificates: Mapping[bytes, Certificate] = {}
        self.whole = False

    def update(self, app_state: AppState) -> None:
        before, self._check, self._target = self._check, app_state.check, app_state.target
        self._certificates = app_state.certificates
        if self._check is not None and self._check.running and not (before and before.running):
            self.from_the_top()
        self.redraw()

    def show_whole(self, whole: bool) -> None:
        """The whole story, down to every request and chain, for a pane that fills the screen."""
        if whole is not self.whole:
            self.whole = whole
            self.from_the_top()

    def summary(self) -> tuple[Span, ...]:
        return summary(self._check, self.screen_style.glyphs)

    def text_lines(self, width: int) -> Sequence[Line]:
        glyphs = self.screen_style.glyphs
        if self._check is None:
            return invitation(self._target, glyphs)
        # A report's types are imported with the first check, not before the first frame.
        from stacktui.tui.panes.check_result import check_lines

        lines = check_lines(self._check, width, glyphs, whole=self.whole)
        if self.whole:
            from stacktui.tui.panes.check_timeline import rest_of_story

            lines += rest_of_story(self._check, self._certificates, glyphs)
        return lines


def summary(check: LiveCheck | None, glyphs: Glyphs) -> tuple[Span, ...]:
    """When, how long, and how it ended: `03:12:09 · 0.14 s · FAULT`."""
    if check is None:
        return ()
    known = [clock(check.started)] if check.started else []
    if check.report:
        known.append(duration(check.report.seconds))
    word, style = _ending(check)
    return (*(Span(part + glyphs.dot, TextStyle.DIM) for part in known), Span(word, style))


def _ending(check: LiveCheck) -> tuple[str, TextStyle]:
    match check.state:
        case CheckState.RUNNING:
            return "running", TextStyle.ACCENT
        case CheckState.CANCELLED:
            return "cancelled", TextStyle.WARNING
        case CheckState.BROKEN:
            return "internal error", TextStyle.ERROR
    return ("OK", TextStyle.OK) if check.healthy else ("FAULT", TextStyle.ERROR)


def invitation(target: Target | None, glyphs: Glyphs) -> list[Line]:
    """The three steps that a check will take, and the key that starts it."""
    steps = [line(Span(f"{glyphs.pending} {name}", TextStyle.DIM)) for name in STEP_WORDS]
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
