"""Choosing which of several commands is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.diagnosis.finding import Remedy
from stacktui.tui.formatting import command_of
from stacktui.tui.lines import BLANK, Span, TextStyle, line
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.widgets.list_pane import ListPane, Row


class CopyScreen(ActionScreen):
    """Returns the command of one of `remedies`, which are numbered as in the check's pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "copy", "copy it", priority=True),
        *(Binding(str(at), f"copy({at})", "copy that one", show=False) for at in range(1, 10)),
    ]

    def __init__(self, remedies: Sequence[Remedy]) -> None:
        super().__init__("Copy a command", "Commands, by number")
        self._remedies = remedies

    def on_mount(self) -> None:
        self.set_choices(
            [
                Row(str(at), (Span(f"{at} ", TextStyle.KEY), Span(command_of(each))))
                for at, each in enumerate(self._remedies, 1)
            ]
        )
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        remedy = self._remedies[int(self.choices.chosen or 1) - 1]
        commands = command_of(remedy).splitlines()
        lines = [line(remedy.title), BLANK]
        self.set_text([*lines, *(line(Span(each, TextStyle.ACCENT)) for each in commands)])

    def action_copy(self, number: int | None = None) -> None:
        """Choose the command with this number, else the highlighted one."""
        number = number or int(self.choices.chosen or 1)
        if number <= len(self._remedies):
            self.dismiss(command_of(self._remedies[number - 1]))
