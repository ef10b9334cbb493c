"""Deleting a resource group: what is in it is shown, and its name is typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label

from stacktui.check.target import CheckTarget
from stacktui.errors import StacktuiError
from stacktui.resources.group_changes import is_group_name, request_lines
from stacktui.resources.group_deletion import PlannedDeletion
from stacktui.text.counts import count_of
from stacktui.text.sanitize import escape_control_chars
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.change_lines import request_text
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.widgets.text_input import TextInput


class DeleteGroup(ActionScreen):
    """Begins the deletion of a group, once its name was typed; that goes on in the background."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority over the input's own `enter`, which does nothing here.
        Binding("enter", "delete", "delete it", priority=True),
        Binding("r", "again", "look again"),
    ]

    def __init__(self, target: CheckTarget, subscription: str, name: str) -> None:
        super().__init__(f"Delete {name}", "")
        self._target, self._subscription, self._group_name = target, subscription, name
        self._plan: PlannedDeletion | None = None
        self._typed = TextInput(id="typed-name", compact=True)
        self._row = Horizontal(Label("Its name", markup=False), self._typed)

    def extra(self) -> ComposeResult:
        self._row.display = False
        yield self._row

    def on_mount(self) -> None:
        self.action_again()

    def action_again(self) -> None:
        self.wait(f"Reading what is in {self._group_name}.")
        self.run_worker(self._read(), exit_on_error=False)

    async def _read(self) -> None:
        try:
            plan = await self.services.arm_reader.read(
                lambda engine: engine.plan_deletion(
                    self._target, self._subscription, self._group_name
                )
            )
        except StacktuiError as error:
            self.failed(str(error))
            return
        if plan is None:
            self.failed(self._missing())
            return
        self._plan = plan
        if plan.group.is_deleting:
            self._start("is being deleted already")
            return
        self._row.display = True
        self.below += 1
        self.set_text([*self._lines(plan)])
        self._typed.focus()
        self.show_hints()

    def _missing(self) -> str:
        """Return why ARM has no group of the name that is shown."""
        name = self._group_name
        if not is_group_name(name):  # its control characters are shown escaped
            return f"{name} cannot be asked for: ARM takes no such name"
        return f"there is no resource group {name} any more: esc, then r, reads the list"

    def _lines(self, plan: PlannedDeletion) -> Iterator[Line]:
        glyphs, inside = self.services.screen_style.glyphs, plan.resources
        ask = f"Type its name to delete {plan.group.name} in {self._target.environment.name},"
        yield line(Span(f"{ask} with all that is in it.", TextStyle.WARNING))
        yield BLANK
        for lock in plan.locks.rows:
            said = f"{glyphs.warning} {lock.name} ({lock.level}): ARM will refuse"
            yield label_value("locked", Span(said, TextStyle.ERROR))
        if plan.locks.error:
            yield label_value("locked", Span(f"not known: {plan.locks.error}", TextStyle.WARNING))
        if inside.error:
            yield label_value("inside", Span(f"not known: {inside.error}", TextStyle.WARNING))
        else:
            count = count_of(len(inside.rows), "resource") if inside.rows else "nothing"
            yield label_value("inside", Span(count, TextStyle.STRONG))
        for each in inside.rows:
            yield label_value("", each.name, Span(f"  {each.type}", TextStyle.DIM))
        yield from request_text(
            request_lines(self._target.environment, "DELETE", plan.path, plan.version)
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "delete":
            return self._row.display
        if action == "again":
            return self._plan is None and not self._waiting
        return super().check_action(action, parameters)

    def action_delete(self) -> None:
        if (plan := self._plan) is None:
            return
        # A control character of a name can only be typed as it is shown.
        name = plan.group.name.strip()
        if self._typed.value.strip() not in (name, escape_control_chars(name)):
            self.warn(f"that is not {plan.group.name}: nothing was changed")
            return
        self._start("is deleted in the background")

    def _start(self, how: str) -> None:
        if self._plan is not None:
            self.services.deletions.start(self._target, self._plan)
            self.dismiss(f"{self._plan.group.name} {how}: O shows how it goes")
