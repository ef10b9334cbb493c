"""The detail of whatever is chosen in the left pane that was used last."""

from __future__ import annotations

from collections.abc import Sequence

from stacktui.tui.lines import Line, Span, TextStyle, line
from stacktui.tui.widgets.text_pane import TextPane


class DetailPane(TextPane):
    """Shows what it is given, from the top."""

    caption = "Detail"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def show(self, name: str, lines: Sequence[Line]) -> None:
        """The name of a thing, and what there is to say of it."""
        if name != self.caption:
            self.from_the_top()
        self.caption = name or "Detail"
        self._lines = lines
        self.redraw()

    def text_lines(self, width: int) -> Sequence[Line]:
        return self._lines or (line(Span("Nothing is chosen.", TextStyle.DIM)),)
