"""Coalesce what background work reports: the screen is painted at most ten times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

# The least seconds between two reports.
PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed of an environment: all, or only its groups and their resources' counts."""

    environment: str | None
    groups_only: bool = False


class Coalescer:
    """Collects changes and passes them on together, soon but at most every `PAUSE` seconds.

    `waiting` says whether a report is due. `schedule` runs a function in the app's context;
    `report` gets the changes.
    """

    def __init__(
        self,
        schedule: Callable[[Callable[[], None]], object],
        report: Callable[[set[Change]], None],
    ) -> None:
        self._schedule = schedule
        self._report = report
        self._changes: set[Change] = set()
        self.waiting = False
        self._reported = 0.0

    def add(self, change: Change) -> None:
        self._changes.add(change)
        if not self.waiting:
            self.waiting = True
            self.after(self._reported + PAUSE - monotonic(), self.flush)

    def flush(self) -> None:
        """Report now what was collected."""
        changes, self._changes, self.waiting = self._changes, set(), False
        self._report(changes)
        self._reported = monotonic()

    def after(self, seconds: float, work: Callable[[], None]) -> asyncio.TimerHandle:
        """Run `work` in `seconds`. Textual's own timer drops a call if the event loop is late."""
        return asyncio.get_running_loop().call_later(seconds, self._schedule, work)
