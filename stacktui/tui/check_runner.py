"""Run checks in a Textual worker: one at a time, cancellable, errors kept from the app."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from stacktui.config.error_file import describe_error
from stacktui.transport.background import in_background
from stacktui.tui.check_state import CheckState

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.certificates.chain import Certificate
    from stacktui.check.events import CheckEvent
    from stacktui.check.history_reader import HistoryReader
    from stacktui.check.history_writer import HistoryWriter
    from stacktui.check.report import Report
    from stacktui.check.target import CheckTarget
    from stacktui.diagnosis.finding import Diagnosis
    from stacktui.tui.live_check import LiveCheck


@dataclass(frozen=True, slots=True)
class Engine:
    """The functions of the check that the screen calls; slow to import, so loaded late."""

    run: Callable[[CheckTarget], AsyncGenerator[CheckEvent, None]]
    diagnose: Callable[[Report], Diagnosis]
    describe: Callable[[bytes], Certificate]


def load_engine() -> Engine:
    """Import the engine and the network stack; blocks."""
    from stacktui.check.runner import run
    from stacktui.diagnosis import diagnose

    return Engine(
        cast("Callable[[CheckTarget], AsyncGenerator[CheckEvent, None]]", run), diagnose, _describe
    )


def _describe(der: bytes) -> Certificate:
    # Imports `cryptography`: not before there is a chain to show.
    from stacktui.certificates.chain import describe

    return describe(der)


class CheckRunner:
    """Runs one check at a time.

    `on_state` is called with the state after every event, `on_certificates` with the parsed
    certificates of a finished check, by their DER. Each that ends is added to `history`.
    """

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], Engine],
        on_state: Callable[[LiveCheck], None],
        on_certificates: Callable[[dict[bytes, Certificate]], None],
        history: HistoryWriter,
    ) -> None:
        self._app = app
        self._load = load
        self._on_state = on_state
        self._on_certificates = on_certificates
        self._history = history
        self._worker: Worker[None] | None = None
        self._live: LiveCheck | None = None

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def start(self, target: CheckTarget) -> None:
        """Start a check; cancel the running one."""
        from stacktui.tui.live_check import LiveCheck

        self.cancel()
        self._live = LiveCheck(target)
        self._on_state(self._live)
        self._worker = self._app.run_worker(
            self._run(self._live), group="check", exit_on_error=False
        )

    def cancel(self) -> None:
        """Cancel the running check, if any. Returns at once; its clean-up continues."""
        if self._live is None or not self._live.running:
            return
        self._publish(self._live, self._live.cancelled())
        if self._worker is not None:
            self._worker.cancel()

    def _publish(self, before: LiveCheck, after: LiveCheck) -> LiveCheck:
        """Publish the new state, unless another check has been started since."""
        if self._live is before:
            self._live = after
            self._on_state(after)
        return after

    async def _run(self, live: LiveCheck) -> None:
        try:
            engine = await in_background(self._load)
            from stacktui.check.history_reader import HistoryReader

            before = HistoryReader((live.target,))
            async with aclosing(engine.run(live.target)) as events:
                async for event in events:
                    after = live.apply(event)
                    if after.state is CheckState.FINISHED:
                        after = await self._diagnosed(engine, after, event, before)
                    live = self._publish(live, after)
            await self._describe(engine, live)
        except Exception as error:
            # The message may hold a secret, so only the type is shown.
            self._publish(live, live.broken(describe_error(error)))

    async def _diagnosed(
        self, engine: Engine, live: LiveCheck, event: CheckEvent, before: HistoryReader
    ) -> LiveCheck:
        """Return a finished check with its diagnosis, and add it to the history."""
        from stacktui.diagnosis.summarise import summarise

        if live.report is None:
            return live
        diagnosis = engine.diagnose(live.report)
        summary = summarise(live.report, diagnosis, event.run_id)
        since = await before.since(summary)
        self._history.add(live.target, summary)
        return live.diagnosed(diagnosis, since)

    async def _describe(self, engine: Engine, live: LiveCheck) -> None:
        ders = {der for each in live.connections if each.tls for der in each.tls.chain}
        if live.report is not None and live.report.recorded is not None:
            ders.add(live.report.recorded.signer)
        if live.report is not None and live.report.completion is not None:
            ders |= {each.der for each in live.report.completion.found}
        if ders:
            described = await in_background(lambda: {der: engine.describe(der) for der in ders})
            self._on_certificates(described)
