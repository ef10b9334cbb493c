"""Running checks beside the screen: one at a time, cancelled at once, never crashing it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from stacktui.tui.background import in_background
from stacktui.tui.check_state import CheckState

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.certificates.chain import Certificate
    from stacktui.check.events import CheckEvent
    from stacktui.check.report import Report
    from stacktui.check.target import Target
    from stacktui.diagnosis.finding import Diagnosis
    from stacktui.tui.live_check import LiveCheck


@dataclass(frozen=True, slots=True)
class Engine:
    """What the dashboard needs of the engine. It is slow to import, so it comes late."""

    run: Callable[[Target], AsyncGenerator[CheckEvent, None]]
    diagnose: Callable[[Report], Diagnosis]
    describe: Callable[[bytes], Certificate]


def load_engine() -> Engine:
    """Import the engine and the network under it; blocks for as long as that takes."""
    from stacktui.check.pipeline import run
    from stacktui.diagnosis import diagnose

    return Engine(
        cast("Callable[[Target], AsyncGenerator[CheckEvent, None]]", run), diagnose, _describe
    )


def _describe(der: bytes) -> Certificate:
    # A check needs no certificate library: its weight is taken on with the first chain to show.
    from stacktui.certificates.chain import describe

    return describe(der)


class CheckRunner:
    """Runs one check at a time and tells its state after every event.

    `tell` hears each state; `on_certificates` hears what the certificates of a finished check say.
    """

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], Engine],
        tell: Callable[[LiveCheck], None],
        on_certificates: Callable[[dict[bytes, Certificate]], None],
    ) -> None:
        self._app = app
        self._load = load
        self._tell = tell
        self._certify = on_certificates
        self._worker: Worker[None] | None = None
        self._live: LiveCheck | None = None

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def start(self, target: Target) -> None:
        """Begin a check; one that runs already is cancelled."""
        from stacktui.tui.live_check import LiveCheck

        self.cancel()
        self._live = LiveCheck(target)
        self._tell(self._live)
        self._worker = self._app.run_worker(
            self._run(self._live), group="check", exit_on_error=False
        )

    def cancel(self) -> None:
        """End the running check, if any, and say so at once; its clean-up goes on behind."""
        if self._live is None or not self._live.running:
            return
        self._move_to(self._live, self._live.cancelled())
        if self._worker is not None:
            self._worker.cancel()

    def _move_to(self, before: LiveCheck, after: LiveCheck) -> LiveCheck:
        """Tell the new state, unless the check is no longer the one that counts."""
        if self._live is before:
            self._live = after
            self._tell(after)
        return after

    async def _run(self, live: LiveCheck) -> None:
        try:
            engine = await in_background(self._load)
            async with aclosing(engine.run(live.target)) as events:
                async for event in events:
                    after = live.after(event)
                    if after.state is CheckState.FINISHED and after.report is not None:
                        after = after.judged(engine.diagnose(after.report))
                    live = self._move_to(live, after)
            await self._describe(engine, live)
        except Exception as error:
            # Its text may hold anything, so only the type is shown.
            self._move_to(live, live.broken(error))

    async def _describe(self, engine: Engine, live: LiveCheck) -> None:
        chain = {der for each in live.connections if each.tls for der in each.tls.chain}
        if live.report is not None and live.report.recorded is not None:
            chain.add(live.report.recorded.top)
        if live.report is not None and live.report.completion is not None:
            chain |= {each.der for each in live.report.completion.found}
        if chain:
            self._certify(await in_background(lambda: {der: engine.describe(der) for der in chain}))
