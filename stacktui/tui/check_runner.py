"""Run checks in Textual workers: single ones and rounds of many, side by side and cancellable."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from stacktui.check.step_names import StepName
from stacktui.config.error_file import describe_error
from stacktui.transport.background import BackgroundIterator, in_background

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.certificates.chain import Certificate
    from stacktui.check.events import CheckEvent
    from stacktui.check.history_writer import HistoryWriter
    from stacktui.check.report import Report
    from stacktui.check.round import Round
    from stacktui.check.streak import Since
    from stacktui.check.target import CheckTarget
    from stacktui.diagnosis.finding import Diagnosis
    from stacktui.identities.token_source import TokenSource
    from stacktui.tui.live_check import LiveCheck

    Told = tuple[CheckEvent, Diagnosis | None, Since | None]
    Events = AsyncGenerator[CheckEvent, None]


def _sign_in(target: CheckTarget, tokens: TokenSource | None = None) -> Events:
    # Imports the engine.
    from stacktui.check.runner import run

    return run(target, tokens=tokens, goal=StepName.TOKEN)


def _round(targets: Sequence[CheckTarget], tokens: TokenSource | None = None) -> Round:
    # Imports the engine.
    from stacktui.check.round import Round

    return Round(targets, tokens=tokens)


@dataclass(frozen=True, slots=True)
class Engine:
    """The functions of the check that the screen calls; slow to import, so loaded late.

    `run` checks one target, with a person at hand, and `sign_in` as far as to a token; `round`
    checks many, with none. `tokens` has what came of their sign-ins.
    """

    run: Callable[[CheckTarget], Events]
    diagnose: Callable[[Report], Diagnosis]
    describe: Callable[[bytes], Certificate]
    round: Callable[[Sequence[CheckTarget]], Round] = _round
    sign_in: Callable[[CheckTarget], Events] = _sign_in
    tokens: TokenSource | None = None


@cache
def load_engine() -> Engine:
    """Import the engine and the network stack; blocks."""
    from stacktui.check.runner import run
    from stacktui.diagnosis import diagnose

    collect_garbage_less()
    tokens = session_tokens()
    return Engine(
        partial(run, tokens=tokens),
        diagnose,
        _describe,
        partial(_round, tokens=tokens),
        partial(_sign_in, tokens=tokens),
        tokens,
    )


def collect_garbage_less() -> None:
    """Leave what has been imported out of the collections: to look through it costs a key 0.1 s."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@cache
def session_tokens() -> TokenSource:
    """Return the tokens that all checks and readings of this process share."""
    from stacktui.identities.token_source import TokenSource

    return TokenSource()


def _describe(der: bytes) -> Certificate:
    # Imports `cryptography`: not before there is a chain to show.
    from stacktui.certificates.chain import describe

    return describe(der)


class CheckRunner:
    """Runs checks side by side, at most one of each environment.

    `on_state` is called with the state after every event, `on_certificates` with the certificates
    of a finished check that no check has presented before, parsed, by their DER. Each check that
    ends is added to `history`; without one, a check only signs in.
    """

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], Engine],
        on_state: Callable[[LiveCheck], None],
        on_certificates: Callable[[dict[bytes, Certificate]], None],
        history: HistoryWriter | None,
    ) -> None:
        self._app = app
        self._load = load
        self._on_state = on_state
        self._on_certificates = on_certificates
        self._history = history
        self._running: dict[str, LiveCheck] = {}
        self._workers: dict[str, Worker[None]] = {}
        self._round: tuple[Round, BackgroundIterator[Told]] | None = None
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

    @property
    def probes_under_way(self) -> tuple[CheckTarget, ...]:
        """The targets whose write probes have begun and not ended."""
        return tuple(each.target for each in self._running.values() if each.may_leave_group)

    def start(self, target: CheckTarget) -> None:
        """Start a check; one of the same environment is cancelled, the others continue."""
        from stacktui.tui.live_check import LiveCheck

        name = target.environment.name
        if (worker := self._workers.pop(name, None)) is not None:
            worker.cancel()
        if name in self._running:
            self._cancel_in_round(name)
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
        names = list(self._running) if environment is None else [environment]
        for name in names:
            if (live := self._running.get(name)) is not None:
                self._publish(live, live.cancelled())
            if (worker := self._workers.pop(name, None)) is not None:
                worker.cancel()
        self._cancel_in_round(environment)

    def _cancel_in_round(self, environment: str | None) -> None:
        if self._round is not None:
            round_, events = self._round
            events.call(lambda: round_.cancel(environment))

    def _publish(self, before: LiveCheck, after: LiveCheck) -> LiveCheck:
        """Publish the new state, unless another check of the environment is running instead."""
        name = before.target.environment.name
        if self._running.get(name) is before and after is not before:
            self._running[name] = after
            if not after.running:
                del self._running[name]
            self._on_state(after)
        return after

    async def _run(self, live: LiveCheck) -> None:
        try:
            engine = await in_background(self._load)
            run = engine.sign_in if self._history is None else engine.run
            async with aclosing(run(live.target)) as events:
                async for told in self._diagnosed(engine, events, (live.target,)):
                    live = self._publish(live, live.apply(*told))
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
            round_ = engine.round(waiting)
            # In a thread: many checks at once keep an event loop too busy for keys.
            background = BackgroundIterator(self._diagnosed(engine, round_, waiting))
            self._round = round_, background
            async with aclosing(aiter(background)) as events:
                async for told in events:
                    name = told[0].environment
                    lives[name] = self._publish(lives[name], lives[name].apply(*told))
                    if not lives[name].running:
                        await self._describe(engine, lives.pop(name))
        except Exception as error:
            for live in lives.values():
                self._publish(live, live.broken(describe_error(error)))

    async def _diagnosed(
        self, engine: Engine, events: AsyncIterable[CheckEvent], targets: Sequence[CheckTarget]
    ) -> AsyncGenerator[Told, None]:
        """Yield each event; with one that ends a check its diagnosis, and since when that is so.

        Adds each check that ends to the history.
        """
        from stacktui.check.events import CheckFinished
        from stacktui.check.history_reader import HistoryReader
        from stacktui.diagnosis.summarise import summarise

        before = HistoryReader(targets)
        async for event in events:
            if not isinstance(event, CheckFinished):
                yield event, None, None
                continue
            diagnosis = engine.diagnose(event.report)
            if self._history is None:
                yield event, diagnosis, None
                continue
            summary = summarise(event.report, diagnosis, event.run_id)
            since = await before.since(summary)
            self._history.add(event.report.target, summary)
            yield event, diagnosis, since

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
