"""Probes after a failed step, so that one fault does not hide another and can be repaired.

A login host that the check did not reach is probed as far as TLS, an incomplete chain is completed,
the stamp's other names are resolved where ARM's does not exist, and what a damaged certifi can be
repaired with is looked up. No secret is sent. All of it
ends within the time that the failed step had left, starts no process, and leaves no thread that
delays the end of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from stacktui.certificates.certifi_repair import CertifiRepair, repair_of
from stacktui.certificates.trust import CERTIFI, TrustFileError, TrustFileFault, TrustUsed
from stacktui.certificates.verify import ROOTLESS, VerifyCode
from stacktui.check.report import Probe, StepResult
from stacktui.check.target import CheckTarget
from stacktui.environments.endpoints import LOGIN, Endpoint, arm_endpoint, login_endpoint
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT
from stacktui.text.sanitize import Redactor
from stacktui.transport.aia_fetch import fetch_public
from stacktui.transport.background import in_background
from stacktui.transport.connections import NullObserver, RequestTrace
from stacktui.transport.connector import Connector, Trust
from stacktui.transport.records import (
    Exchange,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.resolver import resolve
from stacktui.transport.route import route_to

if TYPE_CHECKING:
    from stacktui.certificates.chain_completion import ChainCompletion

T = TypeVar("T")
# Names that every stamp has, ARM's first.
_SIBLINGS = (USER_ENDPOINT, OPERATOR_ENDPOINT, "portal", "adminportal")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What the probes found; empty where there was nothing to probe, or no time.

    `defects` are internal errors, each of which emptied one of the other fields.
    """

    probes: tuple[Probe, ...] = ()
    completion: ChainCompletion | None = None
    siblings: tuple[str, ...] = ()
    repair: CertifiRepair | None = None
    defects: tuple[BaseException, ...] = ()


class FollowUpProber:
    """Runs the probes after one failed check, with the check's own trust."""

    def __init__(
        self, target: CheckTarget, used: TrustUsed, trust: Trust, redactor: Redactor
    ) -> None:
        self._environment = target.environment
        tenant = target.identity.tenant if target.identity else None
        # As PROTOCOL.md section 2 has it, the tenant of whoever signs in with AD FS.
        self._adfs = (tenant or "").lower() == "adfs"
        self._used = used
        self._trust = trust
        self._redactor = redactor

    async def probe(self, steps: Sequence[StepResult], login_url: str | None) -> FollowUp:
        """Run all probes at once, within the time that the failed step has left of its limit.

        Never raises: a probe must not hide the fault that is known already.
        """
        left = self._environment.limits.step - max((step.seconds for step in steps), default=0.0)
        probing = asyncio.create_task(self._probe_all(steps, login_url))
        completing = asyncio.create_task(self._complete(steps))
        naming = asyncio.create_task(self._siblings(steps))
        repairing = asyncio.create_task(self._repair(steps))
        tasks = (probing, completing, naming, repairing)
        try:
            await asyncio.wait(tasks, timeout=max(left, 0.0))
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        cut_off = asyncio.CancelledError
        return FollowUp(
            _result(probing, ()),
            _result(completing, None),
            _result(naming, ()),
            _result(repairing, None),
            tuple(e for e in ended if isinstance(e, BaseException) and not isinstance(e, cut_off)),
        )

    def _not_met(self, steps: Sequence[StepResult], login_url: str | None) -> Iterator[Endpoint]:
        met = {
            (seen.connection.host, seen.connection.port)
            for step in steps
            for seen in step.evidence.exchanges
            if seen.connection is not None
        }
        login = login_endpoint(self._environment, login_url, adfs=self._adfs)
        for each in (arm_endpoint(self._environment), login):
            if each is not None and (each.host, each.port) not in met:
                yield each

    async def _probe_all(
        self, steps: Sequence[StepResult], login_url: str | None
    ) -> tuple[Probe, ...]:
        wanted = self._not_met(steps, login_url)
        probes = await asyncio.gather(*(self._probe(each) for each in wanted))
        return tuple(each for each in probes if each is not None)

    async def _probe(self, endpoint: Endpoint) -> Probe | None:
        trace, started = RequestTrace(NullObserver()), perf_counter()
        fault: TransportFault | None = None
        connector: Connector | None = None
        environment = self._environment
        try:
            route = route_to(
                endpoint.host,
                endpoint.port,
                environment.proxy,
                environment.resolve,
                self._redactor,
            )
            connector = Connector(
                route, self._trust, environment.limits, trace.timed, self._redactor
            )
            stream = await connector.connect_tls()
            await stream.finish()
        except TransportError as error:
            fault = error.fault
        except TrustFileError:
            return None  # reported already, and nothing can be verified without
        facts = connector.facts if connector else None
        url = f"https://{endpoint.key}"
        exchange = Exchange("TLS", url, facts, None, tuple(trace.phases), fault)
        return Probe(LOGIN if LOGIN in endpoint.roles else endpoint.role,
                     perf_counter() - started, exchange)  # fmt: skip

    async def _repair(self, steps: Sequence[StepResult]) -> CertifiRepair | None:
        """Return what can be done about certifi's bundle, if that cannot be used."""
        for step in steps:
            fault = step.evidence.fault
            if isinstance(fault, TrustFileFault) and fault.setting == CERTIFI:
                return await in_background(partial(repair_of, fault.path))
        return None

    async def _siblings(self, steps: Sequence[StepResult]) -> tuple[str, ...]:
        """Return the stamp's other names that exist, where ARM's does not: its label is wrong."""
        arm = arm_endpoint(self._environment)
        missing = (
            isinstance(fault := step.evidence.fault, TransportFault)
            and (fault.kind, fault.host) == (TransportFaultKind.DNS_NOT_FOUND, arm.host)
            for step in steps
        )
        domain = arm.host.partition(".")[2]
        if not any(missing) or "." not in domain:
            return ()
        names = [f"{label}.{domain}" for label in _SIBLINGS if f"{label}.{domain}" != arm.host]

        async def exists(name: str) -> bool:
            try:
                return bool(await resolve(name, arm.port, self._environment.limits.dns))
            except TransportError:
                return False

        found = await asyncio.gather(*map(exists, names))
        return tuple(name for name, there in zip(names, found, strict=True) if there)

    async def _complete(self, steps: Sequence[StepResult]) -> ChainCompletion | None:
        """Follow the chain of the host that failed, if trust in it is what failed."""
        last = next((each for step in steps if (each := step.evidence.last) and each.fault), None)
        seen = last.connection if last else None
        if seen is None or seen.tls is None or not seen.tls.chain:
            return None
        if seen.tls.effective_verify_code not in ROOTLESS | {VerifyCode.CERT_SIGNATURE_FAILURE}:
            return None
        from stacktui.certificates.chain_completion import MAX_SIZE, complete_chain

        async def fetch(url: str) -> bytes | str:
            environment = self._environment
            return await fetch_public(url, MAX_SIZE, environment.proxy, environment.resolve)

        return await complete_chain(seen.host, seen.port, seen.tls.chain, self._used, fetch)


def _result(task: asyncio.Task[T], nothing: T) -> T:
    """Return the result of an ended task, or `nothing` where it was cancelled or failed."""
    return nothing if task.cancelled() or task.exception() else task.result()
