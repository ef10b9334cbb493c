"""The detail of the row that is chosen in the open list pane."""

from __future__ import annotations

from collections.abc import Sequence

from stacktui.tui.lines import Line, Span, TextStyle, line
from stacktui.tui.widgets.panel import Panel
from stacktui.tui.widgets.text_pane import TextPane


class DetailPane(TextPane):
    """Shows the lines that it is given."""

    caption = "Detail"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._own_keys = self._bindings.copy()

    def take_keys_of(self, pane: Panel | None) -> None:
        """Have the keys that act on the highlighted row of a pane here too, and of no other."""
        self._bindings = self._own_keys.copy()
        for key, binding in pane._bindings if pane else ():
            if binding.action.startswith("screen."):
                self._bindings.key_to_bindings.setdefault(key, []).append(binding)

    def show(self, name: str, lines: Sequence[Line]) -> None:
        """Show `lines` under `name`; a new name scrolls back to the top."""
        if name != self.caption:
            self.scroll_to_top()
        self.caption = name or "Detail"
        self._lines = lines
        self.redraw()

    def text_lines(self, width: int) -> Sequence[Line]:
        return self._lines or (line(Span("Nothing is chosen.", TextStyle.DIM)),)
