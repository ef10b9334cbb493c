"""The check itself: metadata, token, resource groups, in this order, as a stream of events."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Any, TypeVar
from urllib.parse import urlsplit

from stacktui.certificates.trust import (
    TrustUsed,
    build_context,
    known_context,
)
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
from stacktui.check.follow_up import FollowUp, FollowUpProber
from stacktui.check.local_facts import (
    find_az,
    find_open_files,
    lost_additions,
    recorded_stamp,
    wait_briefly,
)
from stacktui.check.pinning import UNSHOWABLE, config_of, new_record
from stacktui.check.report import Evidence, Fault, Report, StepName, StepOutcome, StepResult
from stacktui.check.target import CheckTarget
from stacktui.check.trust import target_ca_sources
from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import Metadata
from stacktui.environments.record import (
    DriftError,
    DriftFault,
    RecordError,
    RecordFault,
    StampRecord,
    drifts,
    is_recordable,
    record_first,
)
from stacktui.errors import FaultError
from stacktui.identities.device_code import Prompt
from stacktui.identities.model import Identity
from stacktui.identities.sign_in import Credential, acquire_token, prepare, read_secret
from stacktui.identities.token import Token, TokenFacts
from stacktui.resources.client import ArmClient
from stacktui.resources.model import ArmError, ResourceGroupList
from stacktui.text.sanitize import Redactor, escape_control_chars
from stacktui.transport.background import in_background
from stacktui.transport.connector import Trust
from stacktui.transport.limits import LimitName
from stacktui.transport.records import (
    Exchange,
    Phase,
    PhaseName,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.session import HttpSession

T = TypeVar("T", Metadata, Token, ResourceGroupList)


async def run(target: CheckTarget) -> AsyncIterator[CheckEvent]:
    """Check `target` and yield each event as it happens; the last is CheckFinished.

    What goes wrong is in the report; only an internal error raises. Closing the iterator, or
    cancelling the task that consumes it, ends the check and its connections.
    """
    events: asyncio.Queue[CheckEvent | None] = asyncio.Queue()
    check = _Check(target, events.put_nowait)
    work = asyncio.create_task(check.run())
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


class _Check:
    """One run: the steps so far, and the current one, to which phases are reported."""

    def __init__(self, target: CheckTarget, tell: Callable[[CheckEvent], None]) -> None:
        self._target = target
        self._limits = target.environment.limits
        self._tell = tell
        self._steps: list[StepResult] = []
        self._current = StepName.METADATA
        self._limit: asyncio.Timeout
        self._redactor = Redactor()
        self._trust: TrustUsed = target_ca_sources(target)
        self._metadata: Metadata | None = None
        self._known: asyncio.Task[StampRecord | RecordFault | None]

    async def run(self) -> None:
        started, clock = datetime.now(UTC), perf_counter()
        self._tell(CheckStarted(self._target, started))
        context = asyncio.create_task(_context(self._trust))
        credential, told = self._prepare_credential()
        environment = self._target.environment
        session = HttpSession(
            lambda: _ready(context, told),
            self,
            self._redactor,
            proxy=environment.proxy,
            resolve=environment.resolve,
            limits=environment.limits,
        )
        self._known = asyncio.create_task(recorded_stamp(self._target))
        finding_az = asyncio.create_task(find_az())
        lost = asyncio.create_task(lost_additions())
        finding_open = asyncio.create_task(find_open_files(self._target))
        follow_up = FollowUp()
        try:
            await self._all_steps(session, credential)
            known = await self._known
            if self._failed:
                follow_up = await self._follow_up(lambda: _ready(context, told))
            az, gone = await wait_briefly(finding_az), await lost
            opened = await wait_briefly(finding_open)
        finally:
            await session.aclose()
            await _discard(context, credential, self._known, finding_az, lost, finding_open)
        report = Report(
            self._target,
            started,
            perf_counter() - clock,
            tuple(self._steps),
            lost=gone,
            recorded=self._recorded,
            probes=follow_up.probes,
            completion=follow_up.completion,
            siblings=follow_up.siblings,
            repair=follow_up.repair,
            box=escape_control_chars(socket.gethostname()),
            az=az,
            open_files=opened or (),
        )
        if report.ok:
            report = replace(report, unrecorded=await self._record(known, started))
        self._tell(CheckFinished(report))

    def _prepare_credential(self) -> tuple[asyncio.Task[Credential] | None, asyncio.Event]:
        """Start reading the credential and importing slow modules, while metadata is fetched.

        The event is set once the redactor knows the secret, or there is none.
        """
        identity, redactor = self._target.identity, self._redactor
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        if identity is None:
            told.set()
            return None, told

        def work() -> Credential:
            try:
                secret = read_secret(identity, redactor)
            finally:
                with suppress(RuntimeError):  # the loop is gone: nobody waits any more
                    loop.call_soon_threadsafe(told.set)
            return prepare(identity, secret)

        task = asyncio.create_task(asyncio.to_thread(work))
        task.add_done_callback(lambda _: told.set())  # also where no thread can be started
        return task, told

    @property
    def _failed(self) -> bool:
        return any(step.outcome is StepOutcome.FAILED for step in self._steps)

    async def _follow_up(self, trust: Trust) -> FollowUp:
        prober = FollowUpProber(self._target, self._trust, trust, self._redactor)
        known: Metadata | StampRecord | None = self._metadata
        if known is None or isinstance(self._steps[0].evidence.fault, DriftFault):
            # Of two login hosts, probe the recorded one: the other may be an attacker's.
            known = self._recorded
        return await prober.probe(self._steps, known.login_endpoint if known else None)

    async def _metadata_step(self, session: HttpSession) -> Metadata:
        """Fetch metadata and compare it with the record, before any secret is sent.

        Raises what `fetch_metadata` raises, DriftError where the two differ, and RecordError
        where the record cannot be read and there is a secret to send.
        """
        metadata = await fetch_metadata(session, self._target.environment.arm)
        self._metadata = metadata
        known = await self._known
        if isinstance(known, RecordFault):
            if self._target.identity is not None:
                raise RecordError(known)
        elif known is not None and (found := drifts(known, metadata, self._redactor)):
            raise DriftError(DriftFault(found, known.recorded))
        return metadata

    @property
    def _recorded(self) -> StampRecord | None:
        known = self._known.result()
        return None if isinstance(known, RecordFault) else known

    async def _record(self, known: StampRecord | RecordFault | None, now: datetime) -> str:
        """Record a stamp that was found healthy for the first time; returns why not, if so.

        Waits for other processes that write the record as long as a step may take.
        """
        if isinstance(known, RecordFault):
            return str(known)
        if self._metadata is None:
            return ""
        environment, exchanges = self._target.environment, self._steps[0].evidence.exchanges
        record = new_record(known, environment, self._metadata, exchanges, now)
        if record is None:
            return ""
        if not is_recordable(record, self._redactor):
            return UNSHOWABLE
        return await in_background(
            partial(record_first, config_of(self._target), environment, record, self._limits.step)
        )

    async def _all_steps(
        self, session: HttpSession, credential: asyncio.Task[Credential] | None
    ) -> None:
        identity = self._target.identity
        metadata = await self._step(
            session, StepName.METADATA, lambda: self._metadata_step(session)
        )
        if metadata is None:
            self._skip(StepName.TOKEN, "no metadata")
            self._skip(StepName.RESOURCE_GROUPS, "no token")
            return
        if identity is None or credential is None:
            self._skip(StepName.TOKEN, "no identity is configured for this environment")
            self._skip(StepName.RESOURCE_GROUPS, "no identity is configured for this environment")
            return
        token = await self._step(
            session,
            StepName.TOKEN,
            lambda: _sign_in(session, metadata, identity, credential, self._prompt),
        )
        if token is None:
            self._skip(StepName.RESOURCE_GROUPS, "no token")
            return
        await self._step(
            session, StepName.RESOURCE_GROUPS, lambda: self._resource_groups(session, token)
        )

    async def _resource_groups(self, session: HttpSession, token: Token) -> ResourceGroupList:
        client = ArmClient(session, self._target.environment, token)
        subscription = self._target.environment.subscription
        if subscription is None:
            subscription = await client.first_enabled_subscription()
        try:
            return await client.resource_groups(subscription)
        except ArmError as error:
            raise await client.with_subscriptions(error) from None

    async def _step(
        self, session: HttpSession, name: StepName, work: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Run one step within its limit and return its result; None where it failed."""
        self._current = name
        self._tell(StepStarted(name))
        started = perf_counter()
        result: T | None = None
        fault: Fault | None = None
        timed_out = False
        try:
            async with asyncio.timeout(self._limits.step) as self._limit:
                result = await work()
        except TimeoutError:
            timed_out = True
        except FaultError as error:
            fault = error.fault
        exchanges = session.take_exchanges()
        if timed_out:
            fault = self._out_of_time(exchanges)
        evidence = Evidence(
            exchanges, self._trust, fault, None if fault else _shown(result, self._redactor)
        )
        outcome = StepOutcome.FAILED if fault else StepOutcome.OK
        self._finish(StepResult(name, outcome, perf_counter() - started, evidence))
        return result

    def _prompt(self, page: str, code: str, seconds: float) -> None:
        """Report what the user must type where; the step's limit starts anew after that wait."""
        now = asyncio.get_running_loop().time()
        self._limit.reschedule(now + seconds + self._limits.step)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        self._tell(SignInPrompt(self._login_host, page, code, until))

    @property
    def _login_host(self) -> str:
        named = self._metadata.login_endpoint if self._metadata else ""
        return self._redactor.sanitize(urlsplit(named).netloc.rpartition("@")[2], 200)

    def _out_of_time(self, exchanges: tuple[Exchange, ...]) -> TransportFault:
        """Return the fault of a step that hit its limit, at the host it was waiting for."""
        limit = self._limits.step
        arm = urlsplit(self._target.environment.arm)
        host, port = arm.hostname or "", arm.port or 443
        if exchanges and (connection := exchanges[-1].connection) is not None:
            host, port = connection.host, connection.port
        detail = f"the step did not end in {limit:g} s"
        return TransportFault(
            TransportFaultKind.STEP_TIMEOUT, host, port, detail, limit=limit, setting=LimitName.STEP
        )

    def _skip(self, name: StepName, why: str) -> None:
        self._finish(StepResult(name, StepOutcome.SKIPPED, 0.0, Evidence(skipped=why)))

    def _finish(self, step: StepResult) -> None:
        self._steps.append(step)
        self._tell(StepFinished(step))

    def phase_started(self, name: PhaseName, host: str) -> None:
        self._tell(PhaseStarted(self._current, name, host))

    def phase_finished(self, phase: Phase) -> None:
        self._tell(PhaseFinished(self._current, phase))


async def _sign_in(
    session: HttpSession,
    metadata: Metadata,
    identity: Identity,
    credential: asyncio.Task[Credential],
    prompt: Prompt,
) -> Token:
    return await acquire_token(session, metadata, identity, await credential, prompt)


async def _discard(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and ignore their outcomes."""
    started = [task for task in tasks if task is not None]
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)


async def _context(trust: TrustUsed) -> ssl.SSLContext:
    known = known_context(trust)
    return known if known is not None else await asyncio.to_thread(build_context, trust)


async def _ready(context: asyncio.Task[ssl.SSLContext], told: asyncio.Event) -> ssl.SSLContext:
    """Return the TLS context, once the secret that a server may echo is known."""
    await told.wait()
    # Cancelling one caller must not cancel the task that the next one waits for.
    return await asyncio.shield(context)


def _shown(
    result: Metadata | Token | ResourceGroupList | None, redactor: Redactor
) -> Metadata | TokenFacts | ResourceGroupList | None:
    """Return a step's result as a report may hold it.

    Of a token, its facts alone. Of metadata, the two values that are sent back byte for byte
    are sanitised here, as nothing has sanitised them before.
    """
    match result:
        case Token():
            return result.facts
        case Metadata():
            login, audience = (
                redactor.sanitize_untrusted(result.login_endpoint),
                redactor.sanitize_untrusted(result.audience),
            )
            return replace(result, login_endpoint=login, audience=audience)
    return result
