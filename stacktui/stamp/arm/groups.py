"""The resource groups of the stamp's subscription: names, state, deletion, pages."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import time
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.options import MAX_GROUPS

NAME = re.compile(r"[\w().-]{0,89}[\w()-]")
"""Valid names of a resource group."""

DELETION_SECONDS = 1.5
MAX_OPERATIONS = 256
MAX_TAGS = 15

_WORKLOADS = ("web", "sql", "billing", "backup", "monitoring", "network", "identity", "hr", "crm")
_STAGES = ("prod", "test", "dev", "dr")
_RESOURCES = (
    ("Microsoft.Network/virtualNetworks", "vnet"),
    ("Microsoft.Storage/storageAccounts", "st"),
    ("Microsoft.Compute/virtualMachines", "vm"),
)


@dataclass(slots=True)
class StoredGroup:
    """One resource group; `deleted_at` is the monotonic time at which its deletion ends."""

    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    deleted_at: float | None = None


def group_names(count: int) -> list[str]:
    """Return `count` realistic names."""
    pairs = product(range(1, MAX_GROUPS), _STAGES, _WORKLOADS)
    return [f"rg-{workload}-{stage}-{n:02}" for n, stage, workload in islice(pairs, count)]


class GroupStore:
    """The groups of one subscription. Names are case-insensitive and keep the case they got."""

    def __init__(self, subscription: str, location: str, count: int) -> None:
        self.subscription = subscription
        self.location = location
        self._groups = {
            name: StoredGroup(name, location, {"env": name.split("-")[2]})
            for name in group_names(count)
        }
        self._operations: dict[str, float] = {}

    def all(self) -> list[StoredGroup]:
        """Return every group, sorted by name."""
        self._purge_deleted()
        return [self._groups[key] for key in sorted(self._groups)]

    def get(self, name: str) -> StoredGroup:
        """Return a group; CloudError 404 when there is none."""
        self._purge_deleted()
        group = self._groups.get(name.lower())
        if group is None:
            raise CloudError(Code.GROUP_NOT_FOUND, name=name)
        return group

    def put(self, name: str, body: Any) -> tuple[StoredGroup, bool]:
        """Create or update a group; True when it is new. CloudError for a bad name or body."""
        self._purge_deleted()
        location, tags = self._read(name, body)
        group = self._groups.get(name.lower())
        if group is None:
            if len(self._groups) >= MAX_GROUPS:
                raise CloudError(Code.QUOTA, name=name, quota=MAX_GROUPS)
            group = self._groups[name.lower()] = StoredGroup(name, self.location, tags)
            return group, True
        if group.deleted_at is not None:
            raise CloudError(Code.GROUP_BEING_DELETED, name=name)
        if location != group.location:
            raise CloudError(Code.GROUP_LOCATION, location=location, existing=group.location)
        group.tags = tags
        return group, False

    def delete(self, name: str) -> str:
        """Start the deletion of a group, and return the id of the operation to poll."""
        group = self.get(name)
        if group.deleted_at is None:
            group.deleted_at = time.monotonic() + DELETION_SECONDS
        operation = f"eyJqb2JJZCI6{secrets.token_hex(24)}"
        self._operations[operation] = group.deleted_at
        while len(self._operations) > MAX_OPERATIONS:
            del self._operations[next(iter(self._operations))]
        return operation

    def operation_done(self, operation: str) -> bool | None:
        """Return whether an operation has ended; None when there is no such operation."""
        done_at = self._operations.get(operation)
        return None if done_at is None else time.monotonic() >= done_at

    def document(self, group: StoredGroup) -> dict[str, object]:
        """Return a group's JSON document."""
        state = "Succeeded" if group.deleted_at is None else "Deleting"
        document: dict[str, object] = {
            "id": f"/subscriptions/{self.subscription}/resourceGroups/{group.name}",
            "name": group.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": group.location,
            "properties": {"provisioningState": state},
        }
        if group.tags:
            document["tags"] = group.tags
        return document

    def resources(self, group: StoredGroup) -> list[dict[str, object]]:
        """Return invented resources of a group, always the same for its name."""
        base = f"/subscriptions/{self.subscription}/resourceGroups/{group.name}/providers"
        stem = group.name.removeprefix("rg-").lower()
        found: list[dict[str, object]] = []
        for kind, prefix in _RESOURCES[: len(group.name) % len(_RESOURCES) + 1]:
            name = f"{prefix}-{stem}" if prefix != "st" else "st" + re.sub(r"[^a-z0-9]", "", stem)
            resource = {"id": f"{base}/{kind}/{name}", "name": name, "type": kind}
            found.append({**resource, "location": group.location})
        return found

    def _read(self, name: str, body: Any) -> tuple[str, dict[str, str]]:
        if not NAME.fullmatch(name):
            raise CloudError(Code.GROUP_NAME, name=name)
        if not isinstance(body, dict):
            raise CloudError(Code.CONTENT, reason="The body is not a JSON object")
        location, tags = body.get("location"), body.get("tags") or {}
        if not isinstance(location, str) or not location:
            raise CloudError(Code.LOCATION_REQUIRED)
        if location.lower().replace(" ", "") != self.location:
            raise CloudError(Code.LOCATION_UNAVAILABLE, location=location, available=self.location)
        if (
            not isinstance(tags, dict)
            or len(tags) > MAX_TAGS
            or not all(isinstance(value, str) for value in tags.values())
        ):
            raise CloudError(Code.CONTENT, reason=f"tags are at most {MAX_TAGS} strings")
        return self.location, dict(tags)

    def _purge_deleted(self) -> None:
        now = time.monotonic()
        for key, group in list(self._groups.items()):
            if group.deleted_at is not None and group.deleted_at <= now:
                del self._groups[key]


def encode_skip_token(offset: int) -> str:
    """Return the `$skiptoken` of the page that starts at `offset`."""
    return base64.urlsafe_b64encode(f"groups:{offset}".encode()).decode().rstrip("=")


def decode_skip_token(token: str) -> int:
    """Return the offset of a `$skiptoken`; CloudError when it is not one of ours."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        raise CloudError(Code.SKIP_TOKEN) from None
    match = re.fullmatch(r"groups:([0-9]{1,4})", text)
    if match is None:
        raise CloudError(Code.SKIP_TOKEN)
    return int(match[1])
