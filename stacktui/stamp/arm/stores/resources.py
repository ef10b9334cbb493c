"""The resources inside groups, those of a new stamp invented from the group's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.stores.groups import GroupStore, StoredGroup

VIRTUAL_MACHINE = "Microsoft.Compute/virtualMachines"
USER_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"

_INVENTED = (
    ("Microsoft.Network/virtualNetworks", "vnet"),
    ("Microsoft.Storage/storageAccounts", "st"),
    (VIRTUAL_MACHINE, "vm"),
)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResourceStore:
    """Resources by group and `type/name`; the documents are those that ARM returns."""

    groups: GroupStore

    def all(self, group: StoredGroup) -> list[Document]:
        """Return the resources of a group in the order in which they were made."""
        return list(self._of(group).values())

    def everywhere(self) -> list[Document]:
        """Return the resources of all groups."""
        return [found for group in self.groups.all() for found in self._of(group).values()]

    def get(self, group: str, kind: str, name: str) -> Document:
        """Return a resource; CloudError 404 when there is none."""
        found = self._of(self.groups.get(group)).get(_key(kind, name))
        if found is None:
            raise CloudError(Code.RESOURCE_NOT_FOUND, kind=kind, name=name, group=group)
        return found

    def find(self, resource_id: str) -> Document | None:
        """Return the resource with an id of this subscription."""
        match = re.fullmatch(
            "/subscriptions/[^/]+/resourcegroups/([^/]+)/providers/([^/]+/[^/]+)/([^/]+)",
            resource_id.lower(),
        )
        if match is None:
            return None
        try:
            return self.get(match[1], match[2], match[3])
        except CloudError:
            return None

    def put(self, group: str, kind: str, name: str, document: Document) -> tuple[Document, bool]:
        """Keep a resource's document; return it with its id, and True when it is new."""
        stored = self.groups.writable(group)
        known = self._of(stored)
        created = _key(kind, name) not in known
        made = self._document(stored, kind, name) | document
        known[_key(kind, name)] = made
        return made, created

    def delete(self, group: str, kind: str, name: str) -> None:
        """Remove a resource; CloudError 409 when its group is being deleted."""
        del self._of(self.groups.writable(group))[_key(kind, name)]

    def _of(self, group: StoredGroup) -> dict[str, Document]:
        if group.resources is None:
            group.resources = self._invent(group) if group.invented else {}
        return group.resources

    def _invent(self, group: StoredGroup) -> dict[str, Document]:
        """Return resources that are always the same for a group's name."""
        stem = group.name.removeprefix("rg-").lower()
        found = {}
        for kind, prefix in _INVENTED[: len(group.name) % len(_INVENTED) + 1]:
            name = f"{prefix}-{stem}" if prefix != "st" else "st" + re.sub(r"[^a-z0-9]", "", stem)
            document = self._document(group, kind, name)
            if group.tags:
                document["tags"] = dict(group.tags)
            if kind == VIRTUAL_MACHINE:
                document["properties"] = virtual_machine(str(document["id"]), name)
            found[_key(kind, name)] = document
        return found

    def _document(self, group: StoredGroup, kind: str, name: str) -> Document:
        base = f"/subscriptions/{self.groups.subscription}/resourceGroups/{group.name}/providers"
        return {
            "id": f"{base}/{kind}/{name}",
            "name": name,
            "type": kind,
            "location": group.location,
        }


def virtual_machine(resource_id: str, name: str) -> Document:
    """Return the properties of a running Linux VM."""
    image = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
    return {
        "vmId": str(uuid5(UUID(int=0), resource_id)),
        "hardwareProfile": {"vmSize": "Standard_DS1_v2"},
        "networkProfile": {"networkInterfaces": []},
        "storageProfile": {"imageReference": {**image, "version": "latest"}, "dataDisks": []},
        "osProfile": {"computerName": name[:15], "adminUsername": "azureuser"},
        "provisioningState": "Succeeded",
    }


def _key(kind: str, name: str) -> str:
    return f"{kind}/{name}".lower()
