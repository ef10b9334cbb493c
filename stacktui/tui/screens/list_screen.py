"""The base of the screens that list things, and show one of them in place of the list."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType

from stacktui.tui.screens.action_screen import ActionScreen

T = TypeVar("T")


class ListScreen(ActionScreen, Generic[T]):
    """A list with a filter; `opened` is what is shown in its place, None while it is shown.

    Subclasses fill the list, and have `action_open`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write_copied", "write what was copied to a file", show=False),
        Binding("escape", "clear_filter", "clear the filter"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, title: str, caption: str) -> None:
        super().__init__(title, caption)
        self.opened: T | None = None
        self.choices.has_filter = True

    def on_mount(self) -> None:
        self.show_opened(None)

    def show_opened(self, opened: T | None) -> None:
        """Show the text of `opened`, or the list again."""
        self.opened = opened
        self.choices.display, self._text.display = opened is None, opened is not None
        self.set_focus(self.choices if opened is None else self._text)
        self.show_hints()

    def share_height(self) -> None:
        """Give the whole height to the list, or to the text."""
        height = self.app.size.height - self.below
        self.choices.styles.height = height
        self._text.styles.height = height

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "open":
                return self.opened is None and self.choices.chosen is not None
            case "write_copied":
                return bool(self.services.copier.text)
            case "clear_filter":
                return self.opened is None and self.choices.filtered
            case "leave":
                return self.opened is not None or not self.choices.filtered
            case _:
                return super().check_action(action, parameters)

    def action_leave(self) -> None:
        if self.opened is None:
            super().action_leave()
        else:
            self.show_opened(None)

    def action_clear_filter(self) -> None:
        self.choices.clear_filter()
        self.show_hints()

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)
