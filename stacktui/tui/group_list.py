"""The resource groups of an environment as they are read, for the panes to draw.

Light to import: the network stack is imported with the first check or reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from stacktui.tui.check_state import CheckState
from stacktui.tui.task_state import TaskState

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.group_details import GroupDetails
    from stacktui.resources.model import ResourceGroup, ResourceGroupList
    from stacktui.resources.retry import Wait

# In place of a subscription's id: the groups of all that are enabled.
ALL = "*"


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Groups of one page, by their keys, and by key what a filter finds each by.

    `next_link` leads to the next page of one subscription; empty without one.
    """

    subscription: str
    groups: Mapping[str, ResourceGroup]
    texts: Mapping[str, str]
    next_link: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class GroupList:
    """Groups by their keys: those of this reading in ARM's order, before it has ended those of the
    last one too, so that no row goes away only because it has not been read again.

    `wanted` is the subscription that was chosen, empty for the environment's own; `subscription`
    the id that was read. `read` counts the groups of this reading, which began or ended `at`.
    `cut`: a check read these, and there are more. `error` says why not all were read, `help` what
    who sees no subscription can do, a sentence each. `pages` were read, `next_link` leads to the
    next one; `note` says where a reading goes on that broke before, until a page has come. `wait`
    is what ARM asked to wait, until `time.monotonic()` is `waits_until`.
    """

    target: CheckTarget
    at: datetime
    wanted: str = ""
    subscription: str = ""
    groups: Mapping[str, ResourceGroup] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    read: int = 0
    state: CheckState = CheckState.RUNNING
    cut: bool = False
    error: str = ""
    help: tuple[str, ...] = ()
    pages: int = 0
    next_link: str = field(default="", repr=False)
    note: str = ""
    wait: Wait | None = None
    waits_until: float = 0.0

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING

    @property
    def whole(self) -> bool:
        """Whether these are all groups."""
        return self.state is CheckState.FINISHED and not self.error and not self.cut

    @property
    def seconds_to_wait(self) -> int:
        """How many seconds ARM has yet to be waited for; 0 where it need not."""
        return max(0, round(self.waits_until - monotonic())) if self.wait is not None else 0

    def again(self, wanted: str, at: datetime) -> GroupList:
        """Return the list as another reading begins; that of another subscription is empty."""
        if wanted == self.wanted:
            return replace(self.resumed("", at), read=0, pages=0, next_link="")
        return GroupList(self.target, at, wanted)

    def resumed(self, note: str, at: datetime) -> GroupList:
        """Return the list as its reading goes on with the next page."""
        state = CheckState.RUNNING
        return replace(self, at=at, state=state, error="", help=(), note=note, wait=None)

    def with_page(self, page: GroupPage) -> GroupList:
        return replace(
            self,
            subscription=page.subscription,
            groups={**self.groups, **page.groups},
            texts={**self.texts, **page.texts},
            read=self.read + len(page.groups),
            pages=self.pages + 1,
            next_link=page.next_link,
            note="",
        )

    def waiting(self, wait: Wait) -> GroupList:
        return replace(self, wait=wait, waits_until=monotonic() + wait.seconds)

    def ended(self, found: Mapping[str, ResourceGroup], at: datetime) -> GroupList:
        """Return the list after a reading that found these groups, and no others."""
        texts = {key: self.texts[key] for key in found}
        state, wait = CheckState.FINISHED, None
        return replace(self, groups=found, texts=texts, state=state, at=at, cut=False, wait=wait)

    def without(self, path: str) -> GroupList:
        """Return the list without the group at a path of ARM, which is gone."""
        gone = [key for key, each in self.groups.items() if each.id.casefold() == path.casefold()]
        groups = {key: each for key, each in self.groups.items() if key not in gone}
        return replace(self, groups=groups, texts={key: self.texts[key] for key in groups})

    def with_group(self, group: ResourceGroup) -> GroupList:
        """Return the list with a group that was made, or as it was changed."""
        key = next(
            (key for key, each in self.groups.items() if each.id.casefold() == group.id.casefold()),
            group.id or group.name,
        )
        texts = {**self.texts, key: text_of(group)}
        return replace(self, groups={**self.groups, key: group}, texts=texts)

    def failed(self, error: str, at: datetime, help_: tuple[str, ...] = ()) -> GroupList:
        """Return the list after a reading that did not come to its end; what was read stays."""
        state = CheckState.BROKEN
        return replace(self, state=state, error=error, at=at, help=help_, wait=None)


@dataclass(frozen=True, slots=True)
class ResourceCounts(TaskState):
    """How many resources the groups of some subscriptions have, by path in lower case.

    At least so many, unless `whole`: then these are all, and a group without an entry has none.
    """

    subscriptions: frozenset[str] = frozenset()
    by_group: Mapping[str, int] = field(default_factory=dict)
    read: int = 0

    @property
    def whole(self) -> bool:
        return self.state is CheckState.FINISHED

    def with_page(self, page: Mapping[str, int]) -> ResourceCounts:
        by_group = dict(self.by_group)
        for key, count in page.items():
            by_group[key] = by_group.get(key, 0) + count
        read = self.read + sum(page.values())
        return replace(self, by_group=by_group, read=read)

    def count_of(self, group: ResourceGroup) -> int | None:
        """Return the count of a group; None for one of a subscription that is not counted."""
        if subscription_of(group) not in self.subscriptions:
            return None
        return self.by_group.get(group.id.lower(), 0)


def subscription_of(group: ResourceGroup) -> str:
    """Return the id of a group's subscription, by the group's path; empty where that is unknown."""
    _, start, *rest = [*group.id.split("/", 3), "", ""]
    return rest[0] if start.lower() == "subscriptions" else ""


def text_of(group: ResourceGroup) -> str:
    """Return what a filter finds a group by, in lower case: words, and `location:`, `state:` and
    `tag:k=v`."""
    tags = " ".join(f"tag:{key}={value}" for key, value in group.tags.items())
    return f"{group.name} location:{group.location} state:{group.state} {tags}".lower()


def of_check(target: CheckTarget, found: ResourceGroupList, at: datetime) -> GroupList:
    """Return the groups that a check read."""
    groups = {each.id or each.name: each for each in found.groups}
    return GroupList(
        replace(target, write_probe="", remove_leftovers=False),
        at,
        subscription=found.subscription,
        groups=groups,
        texts={key: text_of(each) for key, each in groups.items()},
        read=len(groups),
        state=CheckState.FINISHED,
        cut=found.cut is not None,
    )


def newer(shown: GroupList | None, checked: GroupList) -> GroupList:
    """Return which list to show after a check: not its own while the other is being read, is of
    another subscription, or has more than a limit let the check read."""
    if shown is None or not (shown.groups or shown.running):
        return checked
    other = shown.wanted or shown.subscription not in ("", checked.subscription)
    return shown if other or shown.running or (checked.cut and not shown.cut) else checked


@dataclass(frozen=True, slots=True)
class OpenedGroup:
    """The group whose details are shown: None while they are read, or with the `error`."""

    environment: str
    key: str
    details: GroupDetails | None = None
    portal: str = ""
    error: str = ""
