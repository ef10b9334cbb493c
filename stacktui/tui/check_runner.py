"""Run checks in Textual workers: single ones and rounds of many, side by side and cancellable."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
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
    from stacktui.check.report import Report
    from stacktui.check.round import Round
    from stacktui.check.target import CheckTarget
    from stacktui.diagnosis.finding import Diagnosis
    from stacktui.tui.live_check import LiveCheck


def _round(targets: Sequence[CheckTarget]) -> Round:
    # Imports the engine.
    from stacktui.check.round import Round

    return Round(targets)


@dataclass(frozen=True, slots=True)
class Engine:
    """The functions of the check that the screen calls; slow to import, so loaded late.

    `run` checks one target, with a person at hand; `round` many, with none.
    """

    run: Callable[[CheckTarget], AsyncGenerator[CheckEvent, None]]
    diagnose: Callable[[Report], Diagnosis]
    describe: Callable[[bytes], Certificate]
    round: Callable[[Sequence[CheckTarget]], Round] = _round


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
    """Runs checks side by side, at most one of each environment.

    `on_state` is called with the state after every event, `on_certificates` with the certificates
    of a finished check that no check has presented before, parsed, by their DER.
    """

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], Engine],
        on_state: Callable[[LiveCheck], None],
        on_certificates: Callable[[dict[bytes, Certificate]], None],
    ) -> None:
        self._app = app
        self._load = load
        self._on_state = on_state
        self._on_certificates = on_certificates
        self._running: dict[str, LiveCheck] = {}
        self._workers: dict[str, Worker[None]] = {}
        self._round: Round | None = None
        self._described: set[bytes] = set()

    @property
    def running(self) -> int:
        """How many checks have not ended."""
        return len(self._running)

    @property
    def round_running(self) -> bool:
        """Whether a check of a round has not ended."""
        return any(not live.attended for live in self._running.values())

    def runs(self, name: str | None) -> bool:
        """Whether the check of this environment has not ended."""
        return name in self._running

    def start(self, target: CheckTarget) -> None:
        """Start a check; one of the same environment is cancelled, the others continue."""
        from stacktui.tui.live_check import LiveCheck

        name = target.environment.name
        self._stop(name)
        self._running[name] = live = LiveCheck(target)
        self._on_state(live)
        self._workers[name] = self._app.run_worker(
            self._run(live), group="check", exit_on_error=False
        )

    def start_round(self, targets: Iterable[CheckTarget], checks: Mapping[str, LiveCheck]) -> None:
        """Check many targets at once, except those that are being checked; nobody is asked.

        `checks` are the last checks by environment: a check that is cancelled before its turn comes
        leaves the last one.
        """
        from stacktui.tui.live_check import LiveCheck

        lives: dict[str, LiveCheck] = {}
        for target in targets:
            name = target.environment.name
            if name not in self._running:
                live = LiveCheck(target, attended=False, last=checks.get(name))
                lives[name] = self._running[name] = live
                self._on_state(live)
        self._app.run_worker(self._run_round(lives), group="check", exit_on_error=False)

    def cancel(self, environment: str | None = None) -> None:
        """Cancel the check of an environment, or without a name all.

        Returns at once; their clean-up continues.
        """
        for name, live in list(self._running.items()):
            if environment in (None, name):
                self._publish(live, live.cancelled())
                self._stop(name)

    def _stop(self, name: str) -> None:
        if (worker := self._workers.pop(name, None)) is not None:
            worker.cancel()
        if self._round is not None:
            self._round.cancel(name)

    def _publish(self, before: LiveCheck, after: LiveCheck) -> LiveCheck:
        """Publish the new state, unless another check of the environment is running instead."""
        name = before.target.environment.name
        if self._running.get(name) is before and after is not before:
            self._running[name] = after
            if not after.running:
                del self._running[name]
            self._on_state(after)
        return after

    def _apply(self, engine: Engine, live: LiveCheck, event: CheckEvent) -> LiveCheck:
        after = live.apply(event)
        if after.state is CheckState.FINISHED and after.report is not None:
            after = after.diagnosed(engine.diagnose(after.report))
        return self._publish(live, after)

    async def _run(self, live: LiveCheck) -> None:
        try:
            engine = await in_background(self._load)
            async with aclosing(engine.run(live.target)) as events:
                async for event in events:
                    live = self._apply(engine, live, event)
            await self._describe(engine, live)
        except Exception as error:
            # The message may hold a secret, so only the type is shown.
            self._publish(live, live.broken(describe_error(error)))

    async def _run_round(self, lives: dict[str, LiveCheck]) -> None:
        try:
            engine = await in_background(self._load)
            waiting = [
                each.target for name, each in lives.items() if self._running.get(name) is each
            ]
            self._round = engine.round(waiting)
            every = cast("AsyncGenerator[CheckEvent, None]", aiter(self._round))
            async with aclosing(every) as events:
                async for event in events:
                    name = event.environment
                    lives[name] = self._apply(engine, lives[name], event)
                    if not lives[name].running:
                        await self._describe(engine, lives.pop(name))
        except Exception as error:
            for live in lives.values():
                self._publish(live, live.broken(describe_error(error)))

    async def _describe(self, engine: Engine, live: LiveCheck) -> None:
        ders = {der for each in live.connections if each.tls for der in each.tls.chain}
        if live.report is not None and live.report.recorded is not None:
            ders.add(live.report.recorded.signer)
        if live.report is not None and live.report.completion is not None:
            ders |= {each.der for each in live.report.completion.found}
        new = ders - self._described
        self._described |= new
        if new:
            described = await in_background(lambda: {der: engine.describe(der) for der in new})
            self._on_certificates(described)
