"""Count the resources of all groups for the dashboard, in the background and when asked to.

Light to import: the network stack is imported with the first check or reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.tui.arm_task import StreamTask, now
from stacktui.tui.group_list import ResourceCounts

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget


class ResourceCounter(StreamTask[ResourceCounts]):
    """Counts for one environment at a time, page by page.

    One list of all resources is read, not one of each group.
    """

    group = "counts"

    def start(self, target: CheckTarget, subscriptions: frozenset[str]) -> None:
        """Count the resources of subscriptions anew; cancel what is being counted."""
        self.begin(
            ResourceCounts(target, now(), subscriptions=subscriptions),
            lambda engine, waits: engine.counts(target, sorted(subscriptions), waits),
            ResourceCounts.with_page,
        )
