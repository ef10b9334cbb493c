"""Run certificate scans in a Textual worker: one at a time, cancellable.

Light to import: the network stack and `cryptography` are imported with the first scan.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stacktui.config.error_file import describe_error
from stacktui.transport.background import in_background
from stacktui.tui.check_state import CheckState

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.certificates.scan import ScanEvent, ScanResult
    from stacktui.check.target import CheckTarget
    from stacktui.tui.scan_state import EvaluatedScan, LiveScan, Stores


@dataclass(frozen=True, slots=True)
class ScanEngine:
    """The functions of a scan that the dashboard calls. `open_stores` and `evaluate` block."""

    scan: Callable[[CheckTarget, bool], AsyncGenerator[ScanEvent, None]]
    open_stores: Callable[[CheckTarget], Stores]
    evaluate: Callable[[CheckTarget, bool, ScanResult, Stores], EvaluatedScan]


def load_scan_engine() -> ScanEngine:
    """Import what a scan needs; blocks."""
    from stacktui.tui.scan_engine import evaluate, open_stores, scan

    return ScanEngine(scan, open_stores, evaluate)


@dataclass(slots=True)
class ScanRunner:
    """Runs one scan at a time.

    `on_state` is called with the state after every event, `on_finished` with the result.
    """

    app: App[Any]
    load: Callable[[], ScanEngine]
    on_state: Callable[[LiveScan], None]
    on_finished: Callable[[EvaluatedScan], None]
    _live: LiveScan | None = None
    _worker: Worker[None] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def start(self, target: CheckTarget, *, whole: bool) -> None:
        """Start a scan; cancel the running one."""
        from stacktui.tui.scan_state import LiveScan

        self._stop()
        # The metadata first, which is given up as a whole.
        now, arm = monotonic(), target.environment.arm
        ends = now + target.environment.limits.step
        self._live = LiveScan(
            target, whole, began=now, waiting=(urlsplit(arm).hostname or arm,), ends=ends
        )
        self.on_state(self._live)
        self._worker = self.app.run_worker(self._run(self._live), group="scan", exit_on_error=False)

    def cancel(self) -> None:
        """Cancel the running scan, if any. Returns at once; its clean-up continues."""
        if self._live is not None and self._live.running:
            self._stop()
            self._publish(self._live, replace(self._live, state=CheckState.CANCELLED))

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()

    def _publish(self, before: LiveScan, after: LiveScan) -> LiveScan:
        """Publish the new state, unless another scan has been started since."""
        if self._live is before:
            self._live = after
            self.on_state(after)
        return after

    async def _run(self, live: LiveScan) -> None:
        try:
            engine = await in_background(self.load)
            # The engine has already imported it.
            from stacktui.certificates.scan import ScanProgress

            target, whole = live.target, live.whole
            # Load the stores while the hosts respond.
            opening = asyncio.ensure_future(in_background(lambda: engine.open_stores(target)))
            opening.add_done_callback(_retrieve)
            found: ScanResult | None = None
            try:
                async with aclosing(engine.scan(target, whole)) as events:
                    async for event in events:
                        if isinstance(event, ScanProgress):
                            after = replace(
                                live,
                                done=event.done,
                                known=event.known,
                                waiting=event.waiting,
                                ends=event.ends,
                            )
                            live = self._publish(live, after)
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
                self.on_finished(result)
            self._publish(live, replace(live, state=CheckState.FINISHED))
        except Exception as error:
            failed = replace(live, state=CheckState.BROKEN, error=describe_error(error))
            self._publish(live, failed)


def _retrieve(opening: asyncio.Future[Stores]) -> None:
    """Retrieve the exception of a load that was cancelled; else asyncio prints it."""
    if not opening.cancelled():
        opening.exception()
