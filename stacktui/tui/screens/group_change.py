"""Making a resource group, and changing the tags of one: planned, shown, asked, sent."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.target import CheckTarget
from stacktui.errors import StacktuiError
from stacktui.resources.group_changes import GroupWrite, request_lines
from stacktui.resources.model import ResourceGroup
from stacktui.tui.arm_task import StreamTask, now
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.change_lines import failure_lines, request_text, running_lines
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.screens.group_form import GroupForm, NewGroup, Tags, TagsForm
from stacktui.tui.task_state import TaskState

if TYPE_CHECKING:
    from stacktui.tui.arm_engine import ArmEngine


@dataclass(frozen=True, slots=True)
class LiveChange(TaskState):
    """A write that is under way or has ended; `group` is what is there then."""

    group: ResourceGroup | None = None

    def with_group(self, group: ResourceGroup) -> LiveChange:
        return replace(self, group=group)


class GroupChangeScreen(ActionScreen):
    """Asks for what is to be written, reads what is there, shows the request, and sends it.

    Dismissed with what was done; `written` is then the group.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "yes"),
        Binding("r", "again", "look again"),
        Binding("e", "edit", "change it"),
        Binding("escape", "decline", "no"),
        Binding("escape", "cancel", "cancel"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, target: CheckTarget, title: str) -> None:
        super().__init__(title, "")
        self.target = target
        self._plan: GroupWrite | None = None
        self._live: LiveChange | None = None
        self._began = 0.0
        self._reading = False
        self._stream: StreamTask[LiveChange]
        self.written: ResourceGroup | None = None

    def on_mount(self) -> None:
        self._stream = self.services.new_task(self._on_state)
        self.set_interval(1.0, self._tick)
        self.begin()

    def on_unmount(self) -> None:
        self._stream.cancel()

    # For subclasses

    @abstractmethod
    def begin(self) -> None:
        """Read what the form needs, and open it."""

    @abstractmethod
    def action_edit(self) -> None:
        """Open the form; `look` with what was typed."""

    @abstractmethod
    async def plan(self, engine: ArmEngine) -> GroupWrite:
        """Return the write that was asked for. Raises StacktuiError."""

    @abstractmethod
    def words(self, plan: GroupWrite) -> tuple[str, str]:
        """Return what is to be done: as an order, and as a thing (`the creation of …`)."""

    @abstractmethod
    def lines(self, plan: GroupWrite) -> list[Line]:
        """Return what the plan changes."""

    @abstractmethod
    def done(self, group: ResourceGroup) -> str:
        """Return what was done, in a line."""

    def look(self) -> None:
        """Plan what was asked for, and show it."""
        self._plan, self._live, self.asking = None, None, False
        self.wait(f"Looking at what is there in {self.target.environment.name}.")
        self._reading = True
        self.run_worker(self._look(), exclusive=True, exit_on_error=False)

    async def _look(self) -> None:
        try:
            plan = await self.services.arm_reader.read(self.plan)
        except StacktuiError as error:
            self._reading = False
            self.failed(str(error))
            return
        self._reading = False
        self._plan, self.asking = plan, plan.body is not None
        self._show()

    # The write

    def _on_state(self, live: LiveChange) -> None:
        self._live = live
        if live.group is not None and not live.running:
            self.written = live.group
            self.dismiss(self.done(live.group))
        else:
            self._show()

    def _tick(self) -> None:
        """Show the seconds."""
        if self._live is not None and self._live.running:
            self._show()

    def _show(self) -> None:
        if (plan := self._plan) is None or self.app.screen is not self:
            return
        live, glyphs = self._live, self.services.screen_style.glyphs
        order, thing = self.words(plan)
        if live is None:
            nothing = line(Span("Nothing is to be changed: it is so already.", TextStyle.WARNING))
            head = [question(f"{order}?") if self.asking else nothing]
        elif live.running:
            head = running_lines("ARM is asked", live, self._began, glyphs)
        else:
            head = failure_lines(thing, live, glyphs)
        self.set_text([*head, BLANK, *self._facts(plan)])

    def _facts(self, plan: GroupWrite) -> list[Line]:
        environment, identity = self.target.environment, self.target.identity
        request = request_lines(environment, plan.method, plan.path, plan.version, plan.body)
        return [
            label_value("environment", environment.name),
            label_value("as", f"{identity.name} ({identity.kind.words})" if identity else ""),
            *self.lines(plan),
            *(request_text(request) if plan.body is not None else ()),
        ]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        running = self._live is not None and self._live.running
        match action:
            case "cancel":
                return running
            case "leave":
                return not (running or self.asking)
            case "edit":
                return not (running or self._reading)
            case "again":
                return not (running or self._reading or self.asking)
            case _:
                return super().check_action(action, parameters)

    def action_confirm(self) -> None:
        if (plan := self._plan) is None:
            return
        self.asking, self._began, target = False, monotonic(), self.target
        self._stream.begin(
            LiveChange(target, now()),
            lambda engine, waits: engine.write_group(target, plan, waits),
            LiveChange.with_group,
        )

    def action_decline(self) -> None:
        self.dismiss(None)

    def action_cancel(self) -> None:
        self._stream.cancel()

    def action_again(self) -> None:
        self.look()


class CreateGroup(GroupChangeScreen):
    """Makes a group in the subscription `wanted`, as in `GroupList`; `taken` names are listed."""

    def __init__(self, target: CheckTarget, wanted: str, taken: Collection[str]) -> None:
        super().__init__(target, f"New resource group in {target.environment.name}")
        self._wanted, self._taken = wanted, taken
        self._subscription = ""
        self._locations: Sequence[str] = ()
        self._asked = NewGroup()

    def begin(self) -> None:
        self.wait(f"Asking {self.target.environment.name} for its locations.")
        self._reading = True
        self.run_worker(self._read(), exit_on_error=False)

    async def _read(self) -> None:
        try:
            self._subscription, self._locations = await self.services.arm_reader.read(
                lambda engine: engine.locations(self.target, self._wanted)
            )
        except StacktuiError as error:
            self.failed(str(error))
        else:
            self.action_edit()
        finally:
            self._reading = False
            self.show_hints()

    def action_again(self) -> None:
        if self._asked.name:
            self.look()
        else:
            self.begin()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "edit" and not self._subscription:
            return False
        return super().check_action(action, parameters)

    def action_edit(self) -> None:
        where = self.target.environment.name
        form = GroupForm(where, self._locations, self._taken, self._asked)
        self.app.push_screen(form, self._filled)

    def _filled(self, asked: NewGroup | None) -> None:
        if asked is not None:
            self._asked = asked
            self.look()
        elif not self._asked.name and self.app.screen is self:  # another key may have left it
            self.dismiss(None)

    async def plan(self, engine: ArmEngine) -> GroupWrite:
        asked = self._asked
        return await engine.plan_creation(
            self.target, self._subscription, asked.name, asked.location, asked.tags
        )

    def words(self, plan: GroupWrite) -> tuple[str, str]:
        return f"Create the resource group {plan.name}", f"the creation of {plan.name}"

    def lines(self, plan: GroupWrite) -> list[Line]:
        return [
            label_value("subscription", self._subscription),
            label_value("location", plan.location),
            label_value("tags", _tags_text(self._asked.tags)),
        ]

    def done(self, group: ResourceGroup) -> str:
        return f"created the resource group {group.name} at {group.location}"


class TagGroup(GroupChangeScreen):
    """Sets and removes tags of a group; its others stay."""

    def __init__(self, target: CheckTarget, subscription: str, group: ResourceGroup) -> None:
        super().__init__(target, f"Tags of {group.name}")
        self._subscription, self._group = subscription, group
        self._asked: Tags = {}

    def begin(self) -> None:
        self.action_edit()

    def action_edit(self) -> None:
        self.app.push_screen(TagsForm(self._group), self._filled)

    def _filled(self, asked: Tags | None) -> None:
        if asked is not None:
            self._asked = asked
            self.look()
        elif not self._asked:
            self.dismiss(None)

    async def plan(self, engine: ArmEngine) -> GroupWrite:
        name = self._group.name
        return await engine.plan_tags(self.target, self._subscription, name, self._asked)

    def words(self, plan: GroupWrite) -> tuple[str, str]:
        what = f"the tags of {plan.name}"
        return f"Change {what}", f"the change of {what}"

    def lines(self, plan: GroupWrite) -> list[Line]:
        before = dict(plan.before.tags) if plan.before is not None else {}
        merged = plan.body["tags"] if plan.body is not None else before
        return [
            label_value("before", _tags_text(before)),
            label_value("after", Span(_tags_text(merged), TextStyle.STRONG)),
        ]

    def done(self, group: ResourceGroup) -> str:
        return f"the resource group {group.name} now has {_tags_text(group.tags)}"


def _tags_text(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in tags.items()) or "no tags"
