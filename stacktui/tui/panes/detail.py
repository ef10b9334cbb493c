"""The detail of the row that is chosen in the open list pane."""

from __future__ import annotations

from collections.abc import Sequence

from stacktui.tui.lines import Line, Span, TextStyle, line
from stacktui.tui.widgets.text_pane import TextPane


class DetailPane(TextPane):
    """Shows the lines that it is given."""

    caption = "Detail"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def show(self, name: str, lines: Sequence[Line]) -> None:
        """Show `lines` under `name`; a new name scrolls back to the top."""
        if name != self.caption:
            self.scroll_to_top()
        self.caption = name or "Detail"
        self._lines = lines
        self.redraw()

    def text_lines(self, width: int) -> Sequence[Line]:
        return self._lines or (line(Span("Nothing is chosen.", TextStyle.DIM)),)
