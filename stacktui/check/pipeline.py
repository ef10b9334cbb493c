"""The check itself: metadata, token, resource groups, in this order, as a stream of events."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from stacktui.certificates.trust import (
    TrustFileError,
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
    StepFinished,
    StepStarted,
)
from stacktui.check.report import Evidence, Fault, Outcome, Report, Step, StepName
from stacktui.check.target import Target
from stacktui.check.trust import trust_of
from stacktui.config.locations import additions_file
from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import Metadata, MetadataError
from stacktui.identities.faults import IdentityError
from stacktui.identities.model import Identity
from stacktui.identities.sign_in import Credential, acquire_token, prepare
from stacktui.identities.token import Token, TokenFacts
from stacktui.resources.client import ArmClient
from stacktui.resources.model import ArmError, ResourceGroupList
from stacktui.transport.bounds import Bounds
from stacktui.transport.facts import (
    Exchange,
    Phase,
    PhaseName,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.session import Session
from stacktui.transport.text import Cleaner

if TYPE_CHECKING:
    from stacktui.certificates.additions import LostAddition

T = TypeVar("T", Metadata, Token, ResourceGroupList)


async def run(target: Target, *, bounds: Bounds | None = None) -> AsyncIterator[CheckEvent]:
    """Check `target`, telling each event as it happens; the last is CheckFinished.

    What goes wrong is in the report. Only a defect of our own raises. Closing the iterator, or
    cancelling the task that consumes it, ends the check and its connections.
    """
    events: asyncio.Queue[CheckEvent | None] = asyncio.Queue()
    check = _Check(target, bounds or Bounds(), events.put_nowait)
    work = asyncio.create_task(check.run())
    work.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        await work  # raises what a defect of our own raised
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await work


class _Check:
    """One run: its session, its steps so far, and the current step as the phases' address."""

    def __init__(self, target: Target, bounds: Bounds, tell: Callable[[CheckEvent], None]) -> None:
        self._target = target
        self._bounds = bounds
        self._tell = tell
        self._steps: list[Step] = []
        self._current = StepName.METADATA
        self._cleaner = Cleaner()
        self._trust: TrustUsed = trust_of(target)

    async def run(self) -> None:
        started, clock = datetime.now(UTC), perf_counter()
        self._tell(CheckStarted(self._target, started))
        context = asyncio.create_task(_context(self._trust))
        credential = self._prepare_credential()
        environment = self._target.environment
        session = Session(
            lambda: _shared(context),
            self,
            self._cleaner,
            proxy=environment.proxy,
            resolve=environment.resolve,
            bounds=self._bounds,
        )
        try:
            await self._all_steps(session, credential)
        finally:
            await session.aclose()
            await _discard(context)
            await _discard(credential)
        lost = await _lost_additions()
        report = Report(self._target, started, perf_counter() - clock, tuple(self._steps), lost)
        self._tell(CheckFinished(report))

    def _prepare_credential(self) -> asyncio.Task[Credential] | None:
        """Reads the credential, and imports what is slow to import, while metadata comes."""
        if self._target.identity is None:
            return None
        work = asyncio.to_thread(prepare, self._target.identity, self._cleaner)
        return asyncio.create_task(work)

    async def _all_steps(
        self, session: Session, credential: asyncio.Task[Credential] | None
    ) -> None:
        environment, identity = self._target.environment, self._target.identity
        metadata = await self._step(
            session, StepName.METADATA, lambda: fetch_metadata(session, environment.arm)
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
            session, StepName.TOKEN, lambda: _sign_in(session, metadata, identity, credential)
        )
        if token is None:
            self._skip(StepName.RESOURCE_GROUPS, "no token")
            return
        await self._step(
            session, StepName.RESOURCE_GROUPS, lambda: self._resource_groups(session, token)
        )

    async def _resource_groups(self, session: Session, token: Token) -> ResourceGroupList:
        client = ArmClient(session, self._target.environment, token)
        subscription = self._target.environment.subscription
        if subscription is None:
            subscription = await client.first_enabled_subscription()
        try:
            return await client.resource_groups(subscription)
        except ArmError as error:
            raise await client.with_subscriptions(error) from None

    async def _step(
        self, session: Session, name: StepName, work: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Run one step within its bound and tell how it ended; None when it failed."""
        self._current = name
        self._tell(StepStarted(name))
        started = perf_counter()
        result: T | None = None
        fault: Fault | None = None
        timed_out = False
        try:
            async with asyncio.timeout(self._bounds.step):
                result = await work()
        except TimeoutError:
            timed_out = True
        except (TransportError, TrustFileError, MetadataError, IdentityError, ArmError) as error:
            fault = error.fault
        exchanges = session.take_exchanges()
        if timed_out:
            fault = self._out_of_time(exchanges)
        evidence = Evidence(exchanges, self._trust, fault, None if fault else _shown(result))
        outcome = Outcome.FAILED if fault else Outcome.OK
        self._finish(Step(name, outcome, perf_counter() - started, evidence))
        return result

    def _out_of_time(self, exchanges: tuple[Exchange, ...]) -> TransportFault:
        """The fault of a step that hit its bound, at the host it was waiting for."""
        bound = self._bounds.step
        arm = urlsplit(self._target.environment.arm)
        host, port = arm.hostname or "", arm.port or 443
        if exchanges and (connection := exchanges[-1].connection) is not None:
            host, port = connection.host, connection.port
        detail = f"the step did not end in {bound:g} s"
        return TransportFault(TransportFaultKind.STEP_TIMEOUT, host, port, detail, limit=bound)

    def _skip(self, name: StepName, why: str) -> None:
        self._finish(Step(name, Outcome.SKIPPED, 0.0, Evidence(skipped=why)))

    def _finish(self, step: Step) -> None:
        self._steps.append(step)
        self._tell(StepFinished(step))

    def phase_started(self, name: PhaseName, host: str) -> None:
        self._tell(PhaseStarted(self._current, name, host))

    def phase_finished(self, phase: Phase) -> None:
        self._tell(PhaseFinished(self._current, phase))


async def _sign_in(
    session: Session, metadata: Metadata, identity: Identity, credential: asyncio.Task[Credential]
) -> Token:
    return await acquire_token(session, metadata, identity, await credential)


async def _discard(task: asyncio.Task[Any] | None) -> None:
    """End a task whose outcome nobody waits for any more."""
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError, TrustFileError, IdentityError):
            await task


async def _lost_additions() -> tuple[LostAddition, ...]:
    # Nearly always there is nothing to remember, and a thread would cost more than this look.
    if not _remembers_additions():
        return ()
    from stacktui.certificates.additions import lost_additions

    return await asyncio.to_thread(lost_additions)


def _remembers_additions() -> bool:
    # Unlike Path.exists, this takes a folder that may not be searched for one without the file.
    return os.path.exists(additions_file())


async def _context(trust: TrustUsed) -> ssl.SSLContext:
    known = known_context(trust)
    return known if known is not None else await asyncio.to_thread(build_context, trust)


async def _shared(context: asyncio.Task[ssl.SSLContext]) -> ssl.SSLContext:
    # One caller's cancellation must not take the context away from the next.
    return await asyncio.shield(context)


def _shown(
    result: Metadata | Token | ResourceGroupList | None,
) -> Metadata | TokenFacts | ResourceGroupList | None:
    """What of a step's result a report may hold: of a token, its facts alone."""
    return result.facts if isinstance(result, Token) else result
