"""The VMs of a subscription, and the managed identities that one has: read, and one more given
(PROTOCOL.md section 4).

A PATCH replaces the type of a VM's identity, so it is sent with all that the VM has: `UserAssigned`
alone would take the system identity away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from stacktui.resources.client import ArmClient
from stacktui.resources.groups import MAX_ID
from stacktui.resources.listing import RowPages, stream_rows
from stacktui.resources.subscriptions import subscription_path
from stacktui.text.json_fields import mapping, text

KIND = "Microsoft.Compute/virtualMachines"
SYSTEM, USER = "SystemAssigned", "UserAssigned"
# Seconds. A VM takes a new identity within a minute or two.
_LONGEST = 900.0
_GROUP = re.compile(r"/resourceGroups/([^/]+)/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Machine:
    """A VM by its name and its group's, which is empty where ARM's path has none; sanitised."""

    name: str
    group: str


@dataclass(frozen=True, slots=True)
class MachineIdentities:
    """The identities of a VM: whether it has its own, and the paths of user-assigned ones.

    `users` is sanitised; `sent` are the same as ARM has them.
    """

    system: bool
    users: tuple[str, ...]
    sent: tuple[str, ...] = field(repr=False)

    def has(self, identity: str) -> bool:
        return identity.casefold() in map(str.casefold, self.users)

    def lost(self, after: MachineIdentities) -> tuple[str, ...]:
        """Return what is here and not `after`: paths, and `SystemAssigned`."""
        system = (SYSTEM,) * (self.system and not after.system)
        return (*system, *(each for each in self.users if not after.has(each)))

    @property
    def names(self) -> tuple[str, ...]:
        system = ("system-assigned",) * self.system
        return (*system, *(each.rpartition("/")[2] for each in self.users))

    def __str__(self) -> str:
        return ", ".join(self.names) or "none"


def machine_pages(client: ArmClient, subscription: str) -> RowPages[Machine]:
    """Return the pages of all VMs of a subscription."""
    path = f"{subscription_path(client, subscription, 'the VMs')}/providers/{KIND}"
    return stream_rows(client, path, _read_machine, what="the VMs")


def machine_path(group: str, name: str) -> str:
    """Return the path of a VM in the group at a path."""
    return f"{group}/providers/{KIND}/{quote(name, '', errors='replace')}"


async def machine_identities(client: ArmClient, path: str) -> MachineIdentities:
    """Return the identities of the VM at a path."""
    row = await client.read(path, what=_what(path))
    return _read(client, mapping(row, "identity"))


async def assign(client: ArmClient, path: str, before: MachineIdentities, identity: str) -> None:
    """Give a VM that has the identities `before` one more, and wait until it has it."""
    ids = {each: dict[str, str]() for each in (*before.sent, identity)}
    kind = f"{SYSTEM}, {USER}" if before.system else USER
    body = {"identity": {"type": kind, "userAssignedIdentities": ids}}
    what = f"assigning to {_what(path)}"
    answer = await client.request("PATCH", path, body=body, what=what)
    await client.poll(answer, what=what, longest=_LONGEST)


def _what(path: str) -> str:
    return f"the VM {path.rpartition('/')[2]}"


def _read_machine(client: ArmClient, row: Mapping[str, Any]) -> Machine:
    found = _GROUP.search(client.text(row, "id", limit=MAX_ID))
    return Machine(client.text(row, "name"), found[1] if found else "")


def _read(client: ArmClient, row: Mapping[str, Any]) -> MachineIdentities:
    types = {each.strip().casefold() for each in text(row, "type").split(",")}
    ids = tuple(mapping(row, "userAssignedIdentities"))
    shown = tuple(client.redactor.sanitize(each, MAX_ID) for each in ids)
    return MachineIdentities(SYSTEM.casefold() in types, shown, ids)
