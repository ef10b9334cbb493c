"""The help screen: the keys of the focused pane, and those that work everywhere."""

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
    """The scrollable list of keys."""

    caption = "Keys"

    def __init__(self, title: str, keys: Sequence[Key]) -> None:
        super().__init__(id="keys")
        self.in_front = True
        self._lines = [
            *_group(title, [key for key in keys if key.local]),
            BLANK,
            *_group("Everywhere", [key for key in keys if not key.local]),
        ]

    def text_lines(self, width: int) -> Sequence[Line]:
        return self._lines

    def summary(self) -> tuple[Span, ...]:
        return (Span("esc", TextStyle.KEY), Span(" back", TextStyle.DIM))


class Help(ModalScreen[None], inherit_bindings=False):
    """Shows `keys`; `title` names the pane that the local ones belong to."""

    AUTO_FOCUS = "#keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back"),
    ]

    def __init__(self, title: str, keys: Sequence[Key]) -> None:
        super().__init__()
        self._panel = HelpPanel(title, keys)

    def compose(self) -> ComposeResult:
        self._panel.styles.height = self._panel.wanted_height(76)
        yield self._panel


def _group(title: str, keys: Sequence[Key]) -> list[Line]:
    lines = [line(Span(title, TextStyle.STRONG))]
    for key in keys:
        names = " ".join(key.keys)
        lines.append(line(Span(f"  {names}".ljust(COLUMN), TextStyle.KEY), key.does, indent=COLUMN))
    return lines
