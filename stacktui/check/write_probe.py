"""What the write probe makes and finds. Light to import: the catalogue reads it.

A probe's group has our tag, whose value is the time when it was made (UTC, ISO 8601).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from stacktui.check.report import OptionalFacts
from stacktui.check.target import CheckTarget
from stacktui.resources.model import ResourceGroup

WRITE_PROBE, PROBE_LEFTOVERS = "write-probe", "probe-leftovers"
# The steps that change something.
WRITING = (WRITE_PROBE, PROBE_LEFTOVERS)
PREFIX = "stacktui-probe-"
TAG = "stacktui-probe"
# A younger one may be of a check that runs.
LEFT_AFTER = timedelta(minutes=15)


class ProbeState(StrEnum):
    """What is known of a probe's group: ABSENT if it was never there, DELETING if ARM has taken its
    deletion and goes on with it."""

    ABSENT = "absent"
    DELETED = "deleted"
    DELETING = "deleting"
    LEFT = "left"
    UNKNOWN = "unknown"


_WORDS = {
    ProbeState.ABSENT: "it is not there",
    ProbeState.DELETED: "it is gone",
    ProbeState.DELETING: "its deletion was accepted, and goes on: the next write probe looks",
    ProbeState.LEFT: "it is LEFT there",
    ProbeState.UNKNOWN: "whether it is there is UNKNOWN",
}


@dataclass(frozen=True, slots=True)
class WriteProbe(OptionalFacts):
    """The group that a probe made, and the seconds that each part took; None for what did not end.

    `deleted` counts to the end of the deletion, or to where the probe's limit ended waiting.
    `earlier` are the groups of other probes whose deletion goes on.
    """

    group: str
    state: ProbeState = ProbeState.UNKNOWN
    subscription: str = ""
    location: str = ""
    created: float | None = None
    read: float | None = None
    deleted: float | None = None
    earlier: tuple[str, ...] = ()

    @property
    def left(self) -> bool:
        """Whether the group is, or may be, there and nobody deletes it."""
        return self.state in (ProbeState.LEFT, ProbeState.UNKNOWN)

    def __str__(self) -> str:
        took = {"created": self.created, "read": self.read, "deleted": self.deleted}
        times = [f"{name} {_took(each)}" for name, each in took.items() if each is not None]
        also = f"; still being deleted: {', '.join(self.earlier)}" if self.earlier else ""
        return f"group {self.group}: {', '.join([*times, _WORDS[self.state]])}{also}"


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


@dataclass(frozen=True, slots=True)
class ProbeLeftovers(OptionalFacts):
    """What was done with the groups that earlier probes left: names; `kept` are not empty."""

    deleted: tuple[str, ...] = ()
    deleting: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = {"deleted": self.deleted, "being deleted": self.deleting,
                 "kept, as something is in them": self.kept}  # fmt: skip
        said = [f"{words}: {', '.join(names)}" for words, names in parts.items() if names]
        return "; ".join(said) or "no probe left a group"


def with_probe(
    target: CheckTarget, *, write: bool = False, delete_left: bool = False
) -> CheckTarget:
    """Return a target whose check makes a group of a new name, or deletes those that were left."""
    name = new_group_name() if write else ""
    return replace(target, write_probe=name, remove_leftovers=delete_left)


def new_group_name() -> str:
    return f"{PREFIX}{uuid4().hex[:12]}"


def probe_tags(now: datetime) -> dict[str, str]:
    return {TAG: f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}


def made_at(group: ResourceGroup) -> datetime | None:
    """Return when a probe made the group; None for a group of anybody else's."""
    said = group.tags.get(TAG, "")
    if not group.name.lower().startswith(PREFIX):
        return None
    try:
        return datetime.strptime(said, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def leftovers(groups: Iterable[ResourceGroup], now: datetime) -> tuple[ResourceGroup, ...]:
    """Return the groups that probes left, and that nobody deletes."""
    return tuple(each for each in groups if is_left(each, now))


def is_left(group: ResourceGroup, now: datetime) -> bool:
    made = made_at(group)
    return made is not None and now - made >= LEFT_AFTER and not group.is_deleting
