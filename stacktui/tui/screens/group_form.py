"""The forms for a new resource group, and for the tags of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.resources.group_changes import NAME_RULE, is_group_name
from stacktui.resources.model import ResourceGroup
from stacktui.tui.screens.form import FormScreen
from stacktui.tui.screens.tag_fields import TagFields
from stacktui.tui.widgets.fields import Field

_KEYS: list[BindingType] = [
    Binding("enter", "save", "look, then ask", priority=True),
    Binding("ctrl+s", "save_now", "look, then ask"),
]
Tags = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class NewGroup:
    """What was typed of a group to be made."""

    name: str = ""
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class GroupForm(FormScreen[NewGroup]):
    """Takes a name that ARM takes, one of the stamp's `locations`, and tags.

    `taken` are the names that are listed. Shows what was typed `before`.
    """

    BINDINGS: ClassVar[list[BindingType]] = _KEYS

    def __init__(
        self, where: str, locations: Sequence[str], taken: Collection[str], before: NewGroup
    ) -> None:
        self._taken = {each.casefold() for each in taken}
        self._tags = TagFields({}, before.tags)
        fields = [
            Field("name", "Name", "of the group", before.name, required=True,
                  problem=self._name_problem),
            self._location(locations, before.location),
            *self._tags.fields(),
        ]  # fmt: skip
        super().__init__(f"New resource group in {where}", fields)

    def _location(self, locations: Sequence[str], before: str) -> Field:
        chosen = before if before in locations else next(iter(locations), before)
        choices = [(each, each) for each in locations]
        return Field("location", "Location", "one of the stamp's", chosen, choices, required=True)

    def _name_problem(self, name: str) -> str:
        if name and not is_group_name(name):
            return f"has {NAME_RULE}"
        return "is there already: e changes its tags" if name.casefold() in self._taken else ""

    def hidden(self) -> Collection[str]:
        return self._tags.hidden(self.values)

    def problems(self) -> dict[str, str]:
        return super().problems() | self._tags.problems(self.values)

    async def save(self) -> NewGroup:
        values = self.values
        changes = self._tags.changes(values).items()
        tags = {name: value for name, value in changes if value is not None}
        return NewGroup(values["name"], values["location"], tags)


class TagsForm(FormScreen[Tags]):
    """Takes changes of a group's tags: those to set, and with None those to remove."""

    BINDINGS: ClassVar[list[BindingType]] = _KEYS

    def __init__(self, group: ResourceGroup) -> None:
        self._tags = TagFields(group.tags)
        super().__init__(f"Tags of {group.name}", self._tags.fields())

    def hidden(self) -> Collection[str]:
        return self._tags.hidden(self.values)

    def problems(self) -> dict[str, str]:
        return super().problems() | self._tags.problems(self.values)

    async def save(self) -> Tags:
        return self._tags.changes(self.values)
