"""The help screen: all keys of the app, those of the focused pane first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import ModalScreen

from stacktui.tui.keys import Key, all_keys_of
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, line
from stacktui.tui.widgets.list_pane import ListPane
from stacktui.tui.widgets.panel import Panel
from stacktui.tui.widgets.text_pane import TextPane

COLUMN = 18
Group = tuple[str, Sequence[Key]]


class HelpPanel(TextPane):
    """The scrollable list of keys."""

    caption = "Keys"

    def __init__(self, groups: Sequence[Group]) -> None:
        super().__init__(id="keys")
        self.in_front = True
        self._lines = [row for title, keys in groups for row in (*_group(title, keys), BLANK)][:-1]

    def text_lines(self, width: int) -> Sequence[Line]:
        return self._lines

    def summary(self) -> tuple[Span, ...]:
        return (Span("esc", TextStyle.KEY), Span(" back", TextStyle.DIM))


class Help(ModalScreen[None], inherit_bindings=False):
    """Shows groups of keys, each with its title."""

    AUTO_FOCUS = "#keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back"),
    ]

    def __init__(self, groups: Sequence[Group]) -> None:
        super().__init__()
        self._panel = HelpPanel(groups)

    def compose(self) -> ComposeResult:
        self._panel.styles.height = self._panel.wanted_height(76)
        yield self._panel


def _group(title: str, keys: Sequence[Key]) -> list[Line]:
    lines = [line(Span(title, TextStyle.STRONG))]
    for key in keys:
        names = " ".join(key.keys)
        style, not_now = (TextStyle.KEY, "") if key.now else (TextStyle.DIM, ", not now")
        does = Span(key.does + not_now, TextStyle.TEXT if key.now else TextStyle.DIM)
        lines.append(line(Span(f"  {names}".ljust(COLUMN), style), does, indent=COLUMN))
    return lines


def groups_of(front: Panel, panes: Sequence[Panel], screen: DOMNode) -> list[Group]:
    """Return all keys: those of the focused pane, of the screen, of any list or text, and then of
    each other pane. A key of the screen that means something else in the pane is left out."""
    moves = {
        each.description
        for pane in (Panel, ListPane, TextPane)
        for each in Binding.make_bindings(pane.BINDINGS)
    }
    everywhere = [*all_keys_of(screen, local=False), *all_keys_of(screen.app, local=False)]
    everywhere.sort(key=lambda key: key.keys[0] == "esc")
    own = {pane: all_keys_of(pane, local=True) for pane in (front, *panes)}
    here = {name for key in own[front] if key.now for name in key.keys}
    everywhere = [
        replace(key, keys=names)
        for key in everywhere
        if (names := tuple(name for name in key.keys if name not in here))
    ]
    groups: list[Group] = [(front.caption, own[front]), ("Everywhere", everywhere)]
    groups.append(("In this pane", [key for key in own[front] if key.does in moves]))
    groups += [(pane.caption, own[pane]) for pane in panes if pane is not front]
    found = [
        (title, [key for key in keys if title == "In this pane" or key.does not in moves])
        for title, keys in groups
    ]
    return [(title, keys) for title, keys in found if keys]
