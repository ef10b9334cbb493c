"""Asking for the managed identity, its group and its VM."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.resources.machine_identity import Machine
from stacktui.resources.managed_identities import NAME_RULE, is_identity_name
from stacktui.tui.live_walk import WalkPlace
from stacktui.tui.screens.form import FormScreen
from stacktui.tui.widgets.fields import Field

# The choice of a VM that is not listed; the others are paths.
_TYPED = "typed"


class ManagedIdentityForm(FormScreen[WalkPlace]):
    """Takes one of the VMs that are listed, or the names of another one and of its group.

    Shows what was asked for `before`; of that, the subscription stays.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "look, then ask", priority=True),
        Binding("ctrl+s", "save_now", "look, then ask"),
    ]

    def __init__(
        self, environment: str, machines: Sequence[Machine], unlisted: str, before: WalkPlace
    ) -> None:
        self._before, self._unlisted = before, unlisted
        self._machines = {f"{each.group}/{each.name}": each for each in machines if each.group}
        super().__init__(f"Managed identity for a VM in {environment}", self._make_fields())

    def _make_fields(self) -> list[Field]:
        before = self._before
        fields = [
            Field(
                "name", "Name", "of the identity; one that is there is taken", before.name,
                required=True, problem=_name_problem,
            ),
            Field("group", "Group", "of the VM; the identity is made there", before.group,
                  required=True),
            Field("machine", "Name of VM", "", before.machine, required=True),
        ]  # fmt: skip
        if self._machines:
            choices = [(f"{each.name} in {each.group}", at) for at, each in self._machines.items()]
            fields.insert(
                1, Field("listed", "VM", "", self._first(), [*choices, ("another one", _TYPED)])
            )
        return fields

    def _first(self) -> str:
        """Return the VM that was asked for before, else one of the group, else the first."""
        before = self._before
        asked = f"{before.group}/{before.machine}"
        if asked in self._machines:
            return asked
        if before.machine:
            return _TYPED
        of_group = (at for at, each in self._machines.items() if each.group == before.group)
        return next(of_group, next(iter(self._machines)))

    @property
    def _listed(self) -> Machine | None:
        return self._machines.get(self.values.get("listed", _TYPED))

    def hidden(self) -> Collection[str]:
        return ("group", "machine") if self._listed else ()

    def remarks(self) -> dict[str, str]:
        found = super().remarks()
        if machine := self._listed:
            found["listed"] = f"the identity is made in {machine.group}, and may read that group"
        elif not self._machines:
            found["group"] = self._unlisted or "no VM is listed in this subscription"
        return found

    async def save(self) -> WalkPlace:
        values, listed = self.values, self._listed
        machine = listed or Machine(values["machine"], values["group"])
        return replace(self._before, name=values["name"], group=machine.group, machine=machine.name)


def _name_problem(text: str) -> str:
    return "" if not text or is_identity_name(text) else f"has {NAME_RULE}"
