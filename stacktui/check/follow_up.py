"""Probes after a failed step, so that one fault does not hide another and can be repaired.

A login host that the check did not reach is probed as far as TLS, an incomplete chain is completed,
the stamp's other names are resolved where ARM's does not exist, a port that ended a handshake is
asked what it speaks, and what a damaged certifi can be repaired with is looked up. No secret is
sent. All of it
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
from urllib.parse import urlsplit

from stacktui.certificates.certifi_repair import CertifiRepair, repair_of
from stacktui.certificates.trust import CERTIFI, TrustFileError, TrustFileFault, TrustUsed
from stacktui.certificates.verify import ROOTLESS, VerifyCode
from stacktui.check.report import Probe, StepResult
from stacktui.check.target import CheckTarget
from stacktui.environments.endpoints import LOGIN, Endpoint, arm_endpoint, login_endpoint
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT
from stacktui.environments.pasted_url import with_service
from stacktui.text.sanitize import Redactor
from stacktui.transport.aia_fetch import fetch_public
from stacktui.transport.background import in_background
from stacktui.transport.connections import NullObserver, RequestTrace
from stacktui.transport.connector import Connector, Trust, untimed
from stacktui.transport.port_answer import PortAnswer
from stacktui.transport.port_probe import probe_port
from stacktui.transport.records import (
    ConnectionFacts,
    Exchange,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.resolver import resolve
from stacktui.transport.route import local_route, route_to
from stacktui.transport.tunnel import ANSWERED

if TYPE_CHECKING:
    from stacktui.certificates.chain_completion import ChainCompletion

T = TypeVar("T")
# A connection that was ended before TLS was up, and a proxy that answers no CONNECT as one.
_ENDED = frozenset({TransportFaultKind.TCP_RESET, TransportFaultKind.TLS_RESET})
_NO_TUNNEL = frozenset({TransportFaultKind.PROXY_REFUSED, TransportFaultKind.PROXY_PROTOCOL})
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
    port_answer: PortAnswer | None = None
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
        asking = asyncio.create_task(self._ask_port(steps))
        tasks = (probing, completing, naming, repairing, asking)
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
            _result(asking, None),
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

    async def _ask_port(self, steps: Sequence[StepResult]) -> PortAnswer | None:
        """Return what stands on a port that ended a handshake, or took no CONNECT for a tunnel."""
        for step in steps:
            fault, last = step.evidence.fault, step.evidence.last
            seen = last.connection if last else None
            if not isinstance(fault, TransportFault) or seen is None:
                continue
            if (connector := self._to_ended(fault, seen)) is not None:
                name, peer = connector.facts.host, (fault.host, fault.port)
                longest = self._environment.limits.tls
                return await probe_port(connector.connect, name, peer, self._redactor, longest)
        return None

    def _to_ended(self, fault: TransportFault, seen: ConnectionFacts) -> Connector | None:
        """Return a connector to the port that a fault is of; None where it ended nothing."""
        by_proxy = seen.proxy.url is not None and (fault.host, fault.port) != (seen.host, seen.port)
        if by_proxy and fault.kind in _NO_TUNNEL and not fault.detail.startswith(ANSWERED):
            route = local_route(fault.host, fault.port)
        elif fault.kind in _ENDED:
            environment = self._environment
            route = route_to(
                seen.host, seen.port, environment.proxy, environment.resolve, self._redactor
            )
            if by_proxy:  # the handshake was with the proxy itself
                route = local_route(fault.host, fault.port)
        else:
            return None
        return Connector(route, self._trust, self._environment.limits, untimed, self._redactor)

    async def _siblings(self, steps: Sequence[StepResult]) -> tuple[str, ...]:
        """Return the stamp's other names that exist, where ARM's does not: its label is wrong, or
        is missing."""
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
        if below := urlsplit(with_service(self._environment.arm)).hostname:
            names.append(below)

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
