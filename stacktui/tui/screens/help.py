"""The keys of the place you were in when you asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from stacktui.tui.keys import Key
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, line
from stacktui.tui.widgets.text_pane import TextPane

COLUMN = 28


class HelpPanel(TextPane):
    """The list of keys, as a page that scrolls."""

    caption = "Keys"

    def __init__(self, place: str, keys: Sequence[Key]) -> None:
        super().__init__(id="sheet")
        self.in_front = True
        self._lines = [
            *_group(place, [key for key in keys if key.place]),
            BLANK,
            *_group("Everywhere", [key for key in keys if not key.place]),
        ]

    def text_lines(self, width: int) -> Sequence[Line]:
        return self._lines

    def summary(self) -> tuple[Span, ...]:
        return (Span("esc", TextStyle.KEY), Span(" back", TextStyle.DIM))


class Help(ModalScreen[None], inherit_bindings=False):
    """What every key does, read from the bindings."""

    AUTO_FOCUS = "#sheet"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back"),
    ]

    def __init__(self, place: str, keys: Sequence[Key]) -> None:
        super().__init__()
        self._sheet = HelpPanel(place, keys)

    def compose(self) -> ComposeResult:
        self._sheet.styles.height = self._sheet.wanted_height(76)
        yield self._sheet


def _group(title: str, keys: Sequence[Key]) -> list[Line]:
    lines = [line(Span(title, TextStyle.STRONG))]
    for key in keys:
        names = " ".join(key.keys)
        lines.append(line(Span(f"  {names}".ljust(COLUMN), TextStyle.KEY), key.does, indent=COLUMN))
    return lines
