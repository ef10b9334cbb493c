"""The state of background work on ARM, for the panes to draw. Light to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from stacktui.errors import StacktuiError
from stacktui.tui.check_state import CheckState

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget


@dataclass(frozen=True, slots=True)
class TaskState:
    """The state of work that a StreamTask does, begun or ended `at`.

    `error` says why it did not come to its end, and `caught` is what was raised, if that was no
    internal error. ARM is waited for until `time.monotonic()` is `waits_until`.
    """

    target: CheckTarget
    at: datetime
    state: CheckState = CheckState.RUNNING
    error: str = ""
    caught: StacktuiError | None = field(default=None, repr=False, compare=False)
    waits_until: float = 0.0

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING

    @property
    def seconds_to_wait(self) -> int:
        """How many seconds ARM has yet to be waited for; 0 where it need not."""
        return max(0, round(self.waits_until - monotonic())) if self.running else 0
