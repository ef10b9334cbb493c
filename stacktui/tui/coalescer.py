"""Coalesce what background work reports: the screen is painted at most ten times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic

# The least seconds between two reports; and before one of nothing but how far a list has come, as
# matching and drawing 10,000 rows again keeps a key waiting.
PAUSE, PROGRESS_PAUSE = 0.1, 0.4
# By how many seconds a timer may be early.
_EARLY = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed of an environment: all, or only its groups and their resources' counts."""

    environment: str | None
    groups_only: bool = False


class Coalescer:
    """Collects changes and passes them on together, soon but at most every `PAUSE` seconds.

    `schedule` runs a function in the app's context; `report` gets the changes.
    """

    def __init__(
        self,
        schedule: Callable[[Callable[[], None]], object],
        report: Callable[[set[Change]], None],
    ) -> None:
        self._schedule = schedule
        self._report = report
        self._changes: set[Change] = set()
        self._due = inf
        self._reported = 0.0

    @property
    def waiting(self) -> bool:
        """Whether a report is due."""
        return bool(self._changes)

    def add(self, change: Change, pause: float = PAUSE) -> None:
        """Report a change, `pause` seconds after the last report or with one that is due before."""
        self._changes.add(change)
        due = self._reported + pause
        if due < self._due:
            self._due = due
            self.after(due - monotonic(), self._flush_due)

    def _flush_due(self) -> None:
        # A report since may have had the changes that this was for; newer ones have their own time.
        if monotonic() >= self._due - _EARLY:
            self.flush()

    def flush(self) -> None:
        """Report now what was collected."""
        changes, self._changes, self._due = self._changes, set(), inf
        self._report(changes)
        self._reported = monotonic()

    def after(self, seconds: float, work: Callable[[], None]) -> asyncio.TimerHandle:
        """Run `work` in `seconds`. Textual's own timer drops a call if the event loop is late."""
        return asyncio.get_running_loop().call_later(seconds, self._schedule, work)
