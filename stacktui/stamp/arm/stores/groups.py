"""The resource groups of one subscription: names, tags, deletion."""

from __future__ import annotations

import itertools
import time
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.options import GROUP_QUOTA, MAX_GROUPS

_WORD = ("L", "Mn", "Nd", "Pc")
"""Categories of .NET's `\\w`, by which ARM judges names."""

MAX_TAGS = 15

_WORKLOADS = ("web", "sql", "billing", "backup", "monitoring", "network", "identity", "hr", "crm")
_STAGES = ("prod", "test", "dev", "dr")

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07\x1b[2J",
    "[bold]markup[/bold] [link=https://example.invalid]here[/link]",
    "\u202egnp.exe\u202c \u2066bidi\u2069 \u200bzero",
    "two\nlines\r\nand a\ttab",
    "=cmd|' -1'!A1 \"quoted\" $(id) `id` ; & | ' %s {0}",
    "x" * 10_000,
)
"""Text as no honest stamp sends it: escapes, markup, bidi, newlines, formulas, sheer length."""


@dataclass(slots=True)
class StoredGroup:
    """One resource group; `deleted_at` is the monotonic time at which its deletion ends."""

    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    deleted_at: float | None = None
    invented: bool = True
    """Whether the group came with the stamp, and has resources and deployments."""
    resources: dict[str, dict[str, Any]] | None = None
    """Resources by lower-case type and name; None until somebody asks for them."""


def group_names(count: int) -> list[str]:
    """Return `count` realistic names."""
    names = (
        f"rg-{workload}-{stage}-{number:02}"
        for number in itertools.count(1)
        for stage in _STAGES
        for workload in _WORKLOADS
    )
    return list(itertools.islice(names, count))


def is_group_name(name: str) -> bool:
    """Whether a resource group may have a name."""
    allowed = all(char in "-.()" or unicodedata.category(char).startswith(_WORD) for char in name)
    return allowed and 1 <= len(name) <= 90 and not name.endswith(".")


class GroupStore:
    """The groups of one subscription. Names are case-insensitive and keep the case they got."""

    def __init__(self, subscription: str, locations: tuple[str, ...], count: int) -> None:
        self.subscription = subscription
        self.locations = locations
        self._quota = GROUP_QUOTA if count <= GROUP_QUOTA else MAX_GROUPS
        self._groups = {
            name: StoredGroup(name, locations[0], {"env": name.split("-")[2]})
            for name in group_names(count)
        }
        self._sorted: list[str] | None = None
        self._deleting: dict[str, bool] = {}
        """Whether the deletion fails, by the key of each group in deletion."""

    def add_hostile(self) -> None:
        """Add groups whose names and tags are hostile."""
        for number, text in enumerate(HOSTILE):
            name = f"rg-hostile-{number}-{text}".replace("/", "")
            self.add(StoredGroup(name, self.locations[0], {text: text, "env": text}))

    def add(self, group: StoredGroup) -> None:
        self._groups[group.name.lower()] = group
        self._sorted = None

    def all(self) -> list[StoredGroup]:
        """Return every group, sorted by name."""
        if self._sorted is None:
            self._sorted = sorted(self._groups)
        return [self._groups[key] for key in self._sorted]

    def get(self, name: str) -> StoredGroup:
        """Return a group; CloudError 404 when there is none."""
        group = self._groups.get(name.lower())
        if group is None:
            raise CloudError(Code.GROUP_NOT_FOUND, name=name)
        return group

    def writable(self, name: str) -> StoredGroup:
        """Return a group that is not being deleted; CloudError 404 or 409 otherwise."""
        group = self.get(name)
        if group.deleted_at is not None:
            raise CloudError(Code.GROUP_BEING_DELETED, name=name)
        return group

    def put(self, name: str, body: Any) -> tuple[StoredGroup, bool]:
        """Create a group or replace its tags; True when it is new. CloudError for a bad request."""
        if not is_group_name(name):
            raise CloudError(Code.GROUP_NAME, name=name)
        location, tags = self._location(body), read_tags(body)
        group = self._groups.get(name.lower())
        if group is None:
            if len(self._groups) >= self._quota:
                raise CloudError(Code.QUOTA, name=name, quota=self._quota)
            group = StoredGroup(name, location, tags, invented=False)
            self.add(group)
            return group, True
        self.writable(name)
        if location != group.location:
            raise CloudError(Code.GROUP_LOCATION, location=location, existing=group.location)
        group.tags = tags
        return group, False

    def patch(self, name: str, body: Any) -> StoredGroup:
        """Replace the tags when the body has any; CloudError for another location."""
        group = self.writable(name)
        if "location" in as_object(body):
            location = self._location(body)
            if location != group.location:
                raise CloudError(Code.GROUP_LOCATION, location=location, existing=group.location)
        if "tags" in body:
            group.tags = read_tags(body)
        return group

    def delete(self, name: str, seconds: float, *, fails: bool) -> float:
        """Start the deletion of a group; return the monotonic time at which it ends, or fails."""
        group = self.get(name)
        if group.deleted_at is None:
            group.deleted_at = time.monotonic() + seconds
            self._deleting[group.name.lower()] = fails
        return group.deleted_at

    def purge(self) -> list[str]:
        """End the deletions that are due; return the names of the groups that are gone."""
        now, gone = time.monotonic(), []
        for key, fails in list(self._deleting.items()):
            ended = self._groups[key].deleted_at
            if ended is None or ended > now:
                continue
            del self._deleting[key]
            if fails:
                self._groups[key].deleted_at = None
                continue
            gone.append(self._groups.pop(key).name)
            self._sorted = None
        return gone

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

    def _location(self, body: Any) -> str:
        location = as_object(body).get("location")
        if not isinstance(location, str) or not location:
            raise CloudError(Code.LOCATION_REQUIRED)
        name = location.lower().replace(" ", "")
        if name not in self.locations:
            available = ",".join(self.locations)
            raise CloudError(Code.LOCATION_UNAVAILABLE, location=location, available=available)
        return name


def as_object(body: Any) -> dict[str, Any]:
    """Return a body that is a JSON object; CloudError 400 for any other."""
    if not isinstance(body, dict):
        raise CloudError(Code.CONTENT, reason="The body is not a JSON object")
    return body


def read_tags(body: Any) -> dict[str, str]:
    """Return the tags of a body; CloudError 400 when they are none."""
    tags = as_object(body).get("tags") or {}
    if (
        not isinstance(tags, dict)
        or len(tags) > MAX_TAGS
        or not all(isinstance(value, str) for value in tags.values())
    ):
        raise CloudError(Code.CONTENT, reason=f"tags are at most {MAX_TAGS} strings")
    return dict(tags)
