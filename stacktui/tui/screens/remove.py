"""Removing an environment or an identity from the config: its name is typed first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label

from stacktui.config.edit import ENVIRONMENTS, remove_table
from stacktui.text.sanitize import escape_control_chars
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, line
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.widgets.text_input import TextInput


class Remove(ActionScreen):
    """Removes `[GROUP.NAME]`, once its name was typed; `users` are what cannot do without it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority over the input's own `enter`, which does nothing here.
        Binding("enter", "remove", "remove it", priority=True),
    ]

    def __init__(self, config: Path, group: str, name: str, *, active: bool, users: Sequence[str]):
        super().__init__(f"Remove {name}", "")
        self._config, self._group, self._table_name, self._users = config, group, name, users
        self._active = active
        self._typed = TextInput(id="typed-name", compact=True)

    def extra(self) -> ComposeResult:
        row = Horizontal(Label("Its name", markup=False), self._typed)
        row.display = not self._users
        self.below += row.display
        yield row

    def on_mount(self) -> None:
        self.set_text(self._lines())
        self._typed.focus()

    def _lines(self) -> list[Line]:
        place = f"[{self._group}.{self._table_name}]"
        if self._users:
            used = f"{self._table_name} is used by {', '.join(self._users)}."
            return [
                line(Span(used, TextStyle.ERROR)),
                line("Without it they cannot be used, as they name it."),
                BLANK,
                line("Choose another identity for them first: e in their pane."),
            ]
        lines = [
            line("This takes ", Span(place, TextStyle.STRONG), f" out of {self._config}."),
            *([line("It is the active environment: none is then.")] if self._active else []),
            BLANK,
        ]
        if self._group == ENVIRONMENTS:
            lines.append(
                line(
                    "Kept: the history of its checks, what was recorded of the stamp, and the "
                    "files of certificates."
                )
            )
        else:
            lines += [
                line("No environment names it."),
                line("Kept: the variable, the file or the keyring's entry that its secret is in."),
            ]
        return [*lines, BLANK, line(Span("Type its name to remove it.", TextStyle.WARNING))]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "remove":
            return not self._users and not self.busy
        return super().check_action(action, parameters)

    def action_remove(self) -> None:
        # A control character of a name can only be typed as it is shown.
        name = self._table_name.strip()
        if self._typed.value.strip() not in (name, escape_control_chars(name)):
            self.warn(f"that is not {self._table_name}: nothing was changed")
            return
        path, group, name = self._config, self._group, self._table_name
        no_longer = "; no environment is active now" if self._active else ""

        def remove() -> None:
            remove_table(path, group, name)

        def removed(_: None) -> None:
            self.dismiss(f"removed {name} from {path}{no_longer}")

        self.run(remove, removed, changes=True)
