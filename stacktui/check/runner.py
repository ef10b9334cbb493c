"""The check itself: runs a target's steps in order, as a stream of events."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic, perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from stacktui.certificates.trust import TrustUsed, build_context, known_context
from stacktui.check.credentials import CredentialReader
from stacktui.check.events import (
    CheckEvent,
    CheckFinished,
    CheckStarted,
    PhaseFinished,
    PhaseStarted,
    SignInPrompt,
    StepFinished,
    StepStarted,
)
from stacktui.check.fault_text import fault_summary
from stacktui.check.follow_up import FollowUp, FollowUpProber
from stacktui.check.local_facts import AzReader, LocalFactsReader
from stacktui.check.pinning import Pin
from stacktui.check.report import Evidence, Fault, Report, StepOutcome, StepResult
from stacktui.check.step import Skip, Step, StepContext
from stacktui.check.steps import steps_of
from stacktui.check.target import CheckTarget
from stacktui.check.trust import target_ca_sources
from stacktui.errors import FaultError
from stacktui.identities.token_source import TokenSource
from stacktui.text.sanitize import Redactor, escape_control_chars
from stacktui.transport.limits import LimitName
from stacktui.transport.records import (
    Exchange,
    Phase,
    PhaseName,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.session import HttpSession

# The most seconds that an optional step takes: the verdict waits for it.
_OPTIONAL = 5.0


async def run(
    target: CheckTarget,
    *,
    attended: bool = True,
    tokens: TokenSource | None = None,
    goal: str | None = None,
) -> AsyncGenerator[CheckEvent, None]:
    """Check `target` and yield each event as it happens; the last is CheckFinished.

    What goes wrong is in the report; only an internal error raises. Closing the iterator, or
    cancelling the task that consumes it, ends the check and its connections. Unless `attended`, no
    step waits for a person. `tokens` are those of the process, where it lives on after the check.
    With a `goal`, only that step runs, and those that it needs.
    """
    events: asyncio.Queue[CheckEvent | None] = asyncio.Queue()
    work = asyncio.create_task(
        run_check(target, events.put_nowait, attended=attended, tokens=tokens, goal=goal)
    )
    work.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        await work  # raises what an internal error raised
    finally:
        if not work.done():
            work.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await work


async def run_check(
    target: CheckTarget,
    tell: Callable[[CheckEvent], None],
    *,
    attended: bool = True,
    tokens: TokenSource | None = None,
    goal: str | None = None,
    az: AzReader | None = None,
) -> None:
    """Check `target` as `run` does, and tell each event as it happens.

    `az` is what reads of az for several checks; the caller closes it.
    """
    tokens = TokenSource() if tokens is None else tokens
    reader = AzReader() if az is None else az
    try:
        steps = steps_of(target, goal)
        await _Check(target, tell, steps, tokens, reader, attended=attended).run()
    finally:
        if az is None:
            await reader.aclose()


class _Check:
    """One run: the steps so far, and the current one, to which phases are reported."""

    def __init__(
        self,
        target: CheckTarget,
        tell: Callable[[CheckEvent], None],
        steps: Sequence[Step],
        tokens: TokenSource,
        az: AzReader,
        *,
        attended: bool,
    ) -> None:
        self._target = target
        self._az = az
        self._limits = target.environment.limits
        self._send = tell
        self._whose: dict[str, Any] = {
            "environment": target.environment.name,
            "run_id": uuid4().hex,
        }
        self._wanted = steps
        self._tokens = tokens
        self._attended = attended
        self._steps: list[StepResult] = []
        self._skips: dict[str, Skip] = {}
        self._current = ""
        self._limit: asyncio.Timeout
        self._redactor = Redactor()
        self._trust: TrustUsed = target_ca_sources(target)

    def _tell(self, kind: Callable[..., CheckEvent], *values: object) -> None:
        self._send(kind(*values, **self._whose, at=monotonic()))

    async def run(self) -> None:
        started, clock = datetime.now(UTC), perf_counter()
        self._tell(CheckStarted, self._target, started, tuple(each.name for each in self._wanted))
        environment = self._target.environment
        building = asyncio.create_task(_context(self._trust))
        credential = CredentialReader(self._target.identity, self._redactor)

        async def trust() -> ssl.SSLContext:
            """Return the TLS context, once the secret that a server may echo is known."""
            await credential.redacted()
            # Cancelling one caller must not cancel the task that the next one waits for.
            return await asyncio.shield(building)

        session = HttpSession(
            trust,
            self,
            self._redactor,
            proxy=environment.proxy,
            resolve=environment.resolve,
            limits=environment.limits,
            ca_files=self._trust.files_for,
        )
        pin = Pin(self._target, self._redactor)
        local = LocalFactsReader(self._target, self._trust, self._az)
        context = StepContext(
            self._target,
            session,
            self._redactor,
            pin,
            credential,
            self._prompt,
            self._tokens,
            self._attended,
        )
        follow_up = FollowUp()
        try:
            for step in self._wanted:
                await self._step(step, context)
                local.step_ended(self._steps[-1])
            await pin.read()
            if any(step.outcome is StepOutcome.FAILED for step in self._steps):
                prober = FollowUpProber(self._target, self._trust, trust, self._redactor)
                follow_up = await prober.probe(self._steps, pin.login_endpoint)
            facts = await local.collect(follow_up.probes)
        finally:
            await session.aclose()
            for each in (credential, pin, local):
                await each.aclose()
            building.cancel()
            await asyncio.gather(building, return_exceptions=True)
        report = Report(
            self._target,
            started,
            perf_counter() - clock,
            tuple(self._steps),
            lost=facts.lost,
            recorded=pin.recorded,
            probes=follow_up.probes,
            completion=follow_up.completion,
            siblings=follow_up.siblings,
            repair=follow_up.repair,
            port_answer=follow_up.port_answer,
            box=escape_control_chars(socket.gethostname()),
            az=facts.az,
            open_files=facts.open_files,
            clients=facts.clients,
            az_clients=facts.az_clients,
        )
        if report.ok:
            report = replace(report, unrecorded=await pin.record(report, started))
        self._tell(CheckFinished, report)

    async def _step(self, step: Step, context: StepContext) -> None:
        """Run one step within its limit, if nothing stands against it."""
        self._current = step.name
        if (skip := self._why_skipped(step, context)) is not None:
            self._finish(StepResult(step.name, StepOutcome.SKIPPED, 0.0, _skipped(skip)))
            return
        limit = step.limit(self._limits)
        if step.optional:
            limit = min(limit, _OPTIONAL)
        self._tell(StepStarted, step.name)
        started = perf_counter()
        result: Any = None
        fault: Fault | None = None
        timed_out, context.partial = False, None
        try:
            async with asyncio.timeout(limit) as self._limit:
                result = await step.run(context)
        except TimeoutError:
            timed_out = True
            if not self._limit.expired():  # a part of the step has the usual limit
                limit = self._limits.step
        except FaultError as error:
            fault = error.fault
        exchanges = context.session.take_exchanges()
        if timed_out:
            fault = self._out_of_time(exchanges, limit)
        outcome, evidence = StepOutcome.OK, Evidence(exchanges, self._trust)
        if isinstance(result, Skip):
            self._skips[step.name] = result
            outcome, evidence = StepOutcome.SKIPPED, _skipped(result, exchanges, self._trust)
        elif fault is None:
            context.results.append(result)
            evidence = replace(evidence, result=step.facts(result, self._redactor))
        elif step.optional:
            outcome = StepOutcome.SKIPPED
            evidence = replace(evidence, skipped=fault_summary(fault))
        else:
            step.failed(context, fault)
            outcome = StepOutcome.FAILED
            evidence = replace(evidence, fault=fault, result=context.partial)
        self._finish(StepResult(step.name, outcome, perf_counter() - started, evidence))

    def _why_skipped(self, step: Step, context: StepContext) -> Skip | None:
        """Return why a step does not run: for its own reason, or that of a step which it needs."""
        for each in self._steps:
            if each.name in step.needs and each.outcome is not StepOutcome.OK:
                skip = self._skips.get(each.name)
                if skip is None:
                    return Skip(f"no {each.name}")
                self._skips[step.name] = skip
                return skip
        if (skip := step.skip(context)) is not None:
            self._skips[step.name] = skip
        return skip

    def _prompt(self, host: str, page: str, code: str, seconds: float) -> None:
        """Report what the user must type where; the step's limit starts anew after that wait."""
        now = asyncio.get_running_loop().time()
        self._limit.reschedule(now + seconds + self._limits.step)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        self._tell(SignInPrompt, host, page, code, until)

    def _out_of_time(self, exchanges: tuple[Exchange, ...], limit: float) -> TransportFault:
        """Return the fault of a step that hit its limit, at the host it was waiting for."""
        arm = urlsplit(self._target.environment.arm)
        host, port = arm.hostname or "", arm.port or 443
        if exchanges and (connection := exchanges[-1].connection) is not None:
            host, port = connection.host, connection.port
        detail = f"the step did not end in {limit:g} s"
        return TransportFault(
            TransportFaultKind.STEP_TIMEOUT, host, port, detail, limit=limit, setting=LimitName.STEP
        )

    def _finish(self, step: StepResult) -> None:
        self._steps.append(step)
        self._tell(StepFinished, step)

    def phase_started(self, name: PhaseName, host: str) -> None:
        self._tell(PhaseStarted, self._current, name, host)

    def phase_finished(self, phase: Phase) -> None:
        self._tell(PhaseFinished, self._current, phase)


def _skipped(
    skip: Skip, exchanges: tuple[Exchange, ...] = (), trust: TrustUsed | None = None
) -> Evidence:
    return Evidence(exchanges, trust, skipped=skip.why, inconclusive=skip.inconclusive)


async def _context(trust: TrustUsed) -> ssl.SSLContext:
    known = known_context(trust)
    return known if known is not None else await asyncio.to_thread(build_context, trust)
