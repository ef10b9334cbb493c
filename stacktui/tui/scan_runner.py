"""Scans in the background of the screen: one at a time, cancelled at once.

Light to import; the network and the certificate library come with the first scan.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stacktui.config.error_file import describe_error
from stacktui.transport.background import in_background
from stacktui.tui.check_state import CheckState
from stacktui.tui.scan_state import EvaluatedScan, LiveScan, Stores

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.certificates.scan import ScanEvent, ScanResult
    from stacktui.check.target import CheckTarget


@dataclass(frozen=True, slots=True)
class ScanEngine:
    """What the dashboard needs to scan. `open_stores` and `evaluate` block."""

    scan: Callable[[CheckTarget, bool], AsyncGenerator[ScanEvent, None]]
    open_stores: Callable[[CheckTarget], Stores]
    evaluate: Callable[[CheckTarget, bool, ScanResult, Stores], EvaluatedScan]


def load_scan_engine() -> ScanEngine:
    """Import what a scan needs; blocks for as long as that takes."""
    from stacktui.tui.scan_engine import evaluate, open_stores, scan

    return ScanEngine(scan, open_stores, evaluate)


@dataclass(slots=True)
class ScanRunner:
    """Runs one scan at a time. `tell` hears its state after every event, `finish` its result."""

    app: App[Any]
    load: Callable[[], ScanEngine]
    tell: Callable[[LiveScan], None]
    finish: Callable[[EvaluatedScan], None]
    _live: LiveScan | None = None
    _worker: Worker[None] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def start(self, target: CheckTarget, *, whole: bool) -> None:
        """Begin a scan; one that runs already is cancelled."""
        self._stop()
        self._live = LiveScan(target, whole)
        self.tell(self._live)
        self._worker = self.app.run_worker(self._run(self._live), group="scan", exit_on_error=False)

    def cancel(self) -> None:
        """End the running scan, if any, and say so at once; its clean-up goes on behind."""
        if self._live is not None and self._live.running:
            self._stop()
            self._move_to(self._live, replace(self._live, state=CheckState.CANCELLED))

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()

    def _move_to(self, before: LiveScan, after: LiveScan) -> LiveScan:
        """Tell the new state, unless the scan is no longer the one that counts."""
        if self._live is before:
            self._live = after
            self.tell(after)
        return after

    async def _run(self, live: LiveScan) -> None:
        try:
            engine = await in_background(self.load)
            # The engine has imported it by now.
            from stacktui.certificates.scan import ScanProgress

            target, whole = live.target, live.whole
            # Stores load while the hosts are asked.
            opening = asyncio.ensure_future(in_background(lambda: engine.open_stores(target)))
            opening.add_done_callback(_retrieve)
            found: ScanResult | None = None
            try:
                async with aclosing(engine.scan(target, whole)) as events:
                    async for event in events:
                        if isinstance(event, ScanProgress):
                            after = replace(live, done=event.done, known=event.known)
                            live = self._move_to(live, after)
                        else:
                            found = event
                stores = await opening
            finally:
                opening.cancel()
            if found is None:
                raise AssertionError("a scan ends with its result")
            scan = found
            result = await in_background(lambda: engine.evaluate(target, whole, scan, stores))
            if self._live is live:
                self.finish(result)
            self._move_to(live, replace(live, state=CheckState.FINISHED))
        except Exception as error:
            failed = replace(live, state=CheckState.BROKEN, error=describe_error(error))
            self._move_to(live, failed)


def _retrieve(opening: asyncio.Future[Stores]) -> None:
    """Take the exception of stores that nobody waits for any more, or asyncio writes it out."""
    if not opening.cancelled():
        opening.exception()
