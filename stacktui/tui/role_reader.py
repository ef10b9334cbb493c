"""Read what an identity may do in an environment, in the background and when asked to.

Light to import: the network stack is imported with the first check or reading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stacktui.errors import StacktuiError
from stacktui.tui.arm_task import StreamTask, now
from stacktui.tui.task_state import TaskState

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.roles import Access


@dataclass(frozen=True, slots=True)
class RolesRead(TaskState):
    """What the identity of a target may do there, by which roles.

    `access` is None before it has been read, and where no subscription is visible.
    """

    access: Access | None = None

    def with_access(self, access: Access) -> RolesRead:
        return replace(self, access=access)


class RoleReader(StreamTask[RolesRead]):
    """Reads them for one target at a time."""

    group = "roles"

    def start(self, target: CheckTarget) -> None:
        """Read them anew; cancel what is being read."""
        self.begin(
            RolesRead(target, now()),
            lambda engine, waits: engine.access(target, waits),
            RolesRead.with_access,
        )

    def _words_of(self, error: StacktuiError) -> str:
        from stacktui.tui.arm_engine import has_no_subscription

        return "" if has_no_subscription(error) else super()._words_of(error)
