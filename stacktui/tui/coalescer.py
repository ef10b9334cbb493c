"""Coalesce what background work reports: the screen is painted at most ten times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

# The least seconds between two reports.
PAUSE = 0.1


class Coalescer:
    """Collects names and passes them on together, soon but at most every `PAUSE` seconds.

    `waiting` says whether a report is due. `schedule` runs a function in the app's context;
    `report` gets the names.
    """

    def __init__(
        self,
        schedule: Callable[[Callable[[], None]], object],
        report: Callable[[set[str | None]], None],
    ) -> None:
        self._schedule = schedule
        self._report = report
        self._names: set[str | None] = set()
        self.waiting = False
        self._reported = 0.0

    def add(self, name: str | None) -> None:
        self._names.add(name)
        if not self.waiting:
            self.waiting = True
            self.after(self._reported + PAUSE - monotonic(), self.flush)

    def flush(self) -> None:
        """Report now what was collected."""
        names, self._names, self.waiting = self._names, set(), False
        self._report(names)
        self._reported = monotonic()

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Run `work` in `seconds`. Textual's own timer drops a call if the event loop is late."""
        asyncio.get_running_loop().call_later(seconds, self._schedule, work)
