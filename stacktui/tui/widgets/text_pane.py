"""A pane of wrapped text that scrolls: the base of the check pane and the detail pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.tui.frame import Border, PanelContent
from stacktui.tui.lines import Line, Span, TextStyle, wrap
from stacktui.tui.widgets.panel import Panel


class TextPane(Panel):
    """Shows wrapped lines; the bottom edge says how many rows are below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", "scroll", show=False, id="down"),
        Binding("k,up", "scroll(-1)", "scroll", show=False, id="up"),
        Binding("g,home", "scroll(-99999)", "to the top, to the end", show=False, id="first"),
        Binding("G,end", "scroll(99999)", "to the top, to the end", show=False, id="last"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._top = 0
        self._wrapped: tuple[int, Sequence[Line], list[Line]] = (0, (), [])

    def text_lines(self, width: int) -> Sequence[Line]:
        """Return the text for this inner width, not yet wrapped."""
        raise NotImplementedError

    def summary(self) -> tuple[Span, ...]:
        """Return what is shown at the right of the title."""
        return ()

    def wanted_rows(self, width: int) -> int:
        return len(self._rows(max(1, width)))

    def panel_content(self, width: int, height: int) -> PanelContent:
        rows = self._rows(width)
        if self.border is not Border.BOX and len(rows) > height > 1:
            height -= 1  # for the note, which has no edge to stand in
        self._top = max(0, min(self._top, len(rows) - height))
        hidden = len(rows) - self._top - height
        down = self.screen_style.glyphs.down
        note = (Span(f"{down} {hidden} more", TextStyle.DIM),) if hidden > 0 else ()
        shown = rows[self._top : self._top + height]
        return PanelContent(self.title, self.summary(), shown, note, self.in_front)

    def scroll_to_top(self) -> None:
        self._top = 0

    def action_scroll(self, lines: int) -> None:
        self._top = max(0, self._top + lines)
        self.redraw()

    def action_page(self, pages: float) -> None:
        self.action_scroll(self.rows_of_pages(pages))

    def _rows(self, width: int) -> list[Line]:
        text_lines = self.text_lines(width)
        if self._wrapped[:2] != (width, text_lines):
            glyphs = self.screen_style.glyphs
            rows = [row for text in text_lines for row in wrap(text, width, glyphs)]
            self._wrapped = (width, text_lines, rows)
        return self._wrapped[2]
