"""A picker: choose from a list by typing. Used for the commands and the themes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from stacktui.tui.lines import Span, TextStyle
from stacktui.tui.widgets.list_pane import ListPane, Row


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: the value that is returned, its text, and a remark beside it."""

    value: str
    name: str
    remark: str = ""


def text_choices(texts: Mapping[str, str]) -> list[Choice]:
    """Return a choice for each text that is not empty, by what it is."""
    return [Choice(text, what, text.splitlines()[0]) for what, text in texts.items() if text]


class ChoicePane(ListPane):
    """A list whose filter is open from the start."""

    def __init__(self, title: str) -> None:
        super().__init__(id="choices")
        self.caption = title
        self.in_front = True
        self._filtering = True

    def wanted_height(self, width: int) -> int:
        return min(super().wanted_height(width), 20)


class PickerScreen(ModalScreen[str], inherit_bindings=False):
    """Returns the chosen value, or None. `preview` is called with the highlighted value."""

    AUTO_FOCUS = "#choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", priority=True),
        Binding("escape", "dismiss(None)", "back"),
    ]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        at: str | None = None,
        preview: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._choices = choices
        self._preview = preview
        self._pane = ChoicePane(title)
        self._pane.choose(at)

    def compose(self) -> ComposeResult:
        rows = [
            Row(choice.value, (Span(choice.name),), (((Span(choice.remark, TextStyle.KEY),),),))
            for choice in self._choices
        ]
        hint = (Span("enter", TextStyle.KEY), Span(" chooses  ", TextStyle.DIM),
                Span("esc", TextStyle.KEY), Span(" back", TextStyle.DIM))  # fmt: skip
        self._pane.show(rows, hint)
        self._pane.styles.height = self._pane.wanted_height(60)
        yield self._pane

    @on(ListPane.Chosen)
    def _moved(self, event: ListPane.Chosen) -> None:
        if self._preview is not None and event.key is not None:
            self._preview(event.key)

    def action_choose(self) -> None:
        self.dismiss(self._pane.chosen)
