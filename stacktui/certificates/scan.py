"""Scan of the chains that the endpoints of an environment present, all at the same time.

The metadata fetch is the check's own, verified as ever; its connection shows ARM's chain. Every
other host gets one connection that sends nothing (`Connector.probe`). The chains are judged
afterwards, offline (`verify`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from time import monotonic

from stacktui.certificates.trust import TrustFileError, TrustUsed, build_context, known_context
from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.endpoints import Endpoint, all_endpoints, arm_endpoint, endpoints
from stacktui.environments.metadata import Metadata, MetadataError
from stacktui.environments.model import Environment
from stacktui.text.sanitize import Redactor
from stacktui.transport.connections import NullObserver
from stacktui.transport.connector import Connector, untimed
from stacktui.transport.records import (
    ConnectionFacts,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.route import route_to
from stacktui.transport.session import HttpSession

# Connections that are open at the same time.
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class EndpointChain:
    """What one endpoint presented: a chain (DER, leaf first), or the fault instead.

    `connection` is None if none was attempted. `absent` means that this stamp has no such host:
    only the naming rule has it, and DNS, which resolves ARM, does not, or nothing listens there,
    though ARM responds.
    """

    endpoint: Endpoint
    connection: ConnectionFacts | None = None
    fault: TransportFault | None = None
    absent: bool = False

    @property
    def why_absent(self) -> str:
        refused = self.fault is not None and self.fault.kind is TransportFaultKind.TCP_REFUSED
        return "nothing listens there" if refused else "this stamp has no such host"

    @property
    def chain(self) -> tuple[bytes, ...]:
        tls = self.connection.tls if self.connection else None
        return tls.chain if tls else ()


@dataclass(frozen=True, slots=True)
class ScanResult:
    """All endpoints of one environment as they were at `taken`, in the order of the list.

    `no_metadata` says in one line why the metadata could not be had, so that hosts may be missing.
    """

    environment: Environment
    taken: datetime
    trust: TrustUsed
    presented: tuple[EndpointChain, ...]
    no_metadata: str = ""


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How many of the endpoints known so far have responded.

    `waiting` are the names of the others; all of them are given up by `ends` (`time.monotonic()`).
    """

    done: int
    known: int
    last: EndpointChain
    waiting: tuple[str, ...] = ()
    ends: float = 0.0


ScanEvent = ScanProgress | ScanResult


async def scan(
    environment: Environment, trust: TrustUsed, *, whole: bool = False
) -> AsyncIterator[ScanEvent]:
    """Scan ARM, login, graph and portal, or with `whole` every name of the stamp.

    Yields a ScanProgress for each endpoint that has responded, then the ScanResult, which also has
    the faults. Closing the iterator, or cancelling its task, ends all connections.
    """
    scanner = Scanner(environment, trust)
    try:
        async for event in scanner.run(whole):
            yield event
    finally:
        await scanner.stop()


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The outcome of the metadata fetch, and ARM as it saw it."""

    metadata: Metadata | None
    arm: EndpointChain
    why_none: str


class Scanner:
    """The tasks of one scan. Always call `stop` at the end."""

    def __init__(self, environment: Environment, trust: TrustUsed) -> None:
        self._environment = environment
        self._used = trust
        self._limits = environment.limits
        self._redactor = Redactor()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._context: asyncio.Task[ssl.SSLContext] | None = None
        self._fetched: asyncio.Task[_Fetched] | None = None
        self._tasks: dict[str, asyncio.Task[EndpointChain]] = {}

    async def run(self, whole: bool) -> AsyncIterator[ScanEvent]:
        taken = datetime.now(UTC)
        list_of = all_endpoints if whole else endpoints
        # Endpoints of the naming rule need not wait for the metadata.
        self._fetched = asyncio.create_task(self._fetch())
        self._tasks[arm_endpoint(self._environment).key] = asyncio.create_task(self._arm())
        for each in list_of(self._environment, None) if whole else ():
            self._start(each)
        fetched = await self._fetched
        wanted = list_of(self._environment, fetched.metadata)
        for each in wanted:
            self._start(each)
        tasks = [self._tasks[each.key] for each in wanted]
        ends = monotonic() + ceil(len(self._tasks) / AT_ONCE) * self._longest(fetched.arm)
        for done, finished in enumerate(asyncio.as_completed(tasks), 1):
            last = await finished
            waiting = (each.name for each, task in zip(wanted, tasks, strict=True)
                       if not task.done())  # fmt: skip
            yield ScanProgress(done, len(tasks), last, tuple(waiting), ends)
        absent = set()  # the kinds of fault by which a guessed host is absent
        if not fetched.arm.fault or fetched.arm.fault.kind is not TransportFaultKind.DNS_NOT_FOUND:
            absent.add(TransportFaultKind.DNS_NOT_FOUND)
        if fetched.arm.chain:
            absent.add(TransportFaultKind.TCP_REFUSED)
        seen = (
            # The metadata may name a host that was scanned by the naming rule.
            replace(
                found,
                endpoint=each,
                absent=not each.named and found.fault is not None and found.fault.kind in absent,
            )
            for each, found in zip(wanted, [task.result() for task in tasks], strict=True)
        )
        yield ScanResult(self._environment, taken, self._used, tuple(seen), fetched.why_none)

    def _longest(self, arm: EndpointChain) -> float:
        """Return the seconds after which a host is given up; with a proxy, as ARM was reached."""
        limits, connection = self._limits, arm.connection
        seconds = limits.dns + limits.connect + limits.tls
        if connection is not None and connection.proxy.url is not None:
            seconds += limits.first_byte + limits.tls
        return seconds

    async def stop(self) -> None:
        tasks = [task for task in (self._fetched, self._context, *self._tasks.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, endpoint: Endpoint) -> None:
        if endpoint.key not in self._tasks:
            self._tasks[endpoint.key] = asyncio.create_task(self.scan(endpoint))

    async def _fetch(self) -> _Fetched:
        session = HttpSession(
            self._trust,
            NullObserver(),
            self._redactor,
            proxy=self._environment.proxy,
            resolve=self._environment.resolve,
            limits=self._limits,
            ca_files=self._used.files_for,
        )
        metadata, fault, why = None, None, ""
        try:
            async with asyncio.timeout(self._limits.step):
                metadata = await fetch_metadata(
                    session, self._environment.arm, self._environment.endpoints
                )
        except TransportError as error:
            fault, why = error.fault, f"{error.fault.host}: {error.fault.detail}"
        except (MetadataError, TrustFileError) as error:
            why = str(error)
        except TimeoutError:
            why = f"no whole answer in {self._limits.step:g} s"
        finally:
            await session.aclose()
        exchanges = session.take_exchanges()
        connection = exchanges[0].connection if exchanges else None
        # With a chain, any later fault concerns the metadata, not the certificates.
        if connection is not None and connection.tls is not None and connection.tls.chain:
            fault = None
        arm = arm_endpoint(self._environment)
        return _Fetched(metadata, EndpointChain(arm, connection, fault), why)

    async def _arm(self) -> EndpointChain:
        """Return ARM's chain from the metadata fetch, else from a connection of its own."""
        assert self._fetched is not None  # noqa: S101 - `run` starts it first
        arm = (await asyncio.shield(self._fetched)).arm
        # If the trust store in use cannot be loaded, the fetch ends before any handshake.
        return arm if arm.chain or arm.fault is not None else await self.scan(arm.endpoint)

    async def scan(self, endpoint: Endpoint) -> EndpointChain:
        async with self._turn:
            prober: Connector | None = None
            try:
                route = route_to(
                    endpoint.host,
                    endpoint.port,
                    self._environment.proxy,
                    self._environment.resolve,
                    self._redactor,
                )
                prober = Connector(route, self._trust, self._limits, untimed, self._redactor)
                await prober.probe()
            except TransportError as error:
                return EndpointChain(endpoint, prober.facts if prober else None, error.fault)
            except TrustFileError as error:  # an https proxy cannot be verified
                fault = TransportFault(
                    TransportFaultKind.PROXY_UNREACHABLE, endpoint.host, endpoint.port, str(error)
                )
                return EndpointChain(endpoint, None, fault)
            return EndpointChain(endpoint, prober.facts)

    async def _trust(self) -> ssl.SSLContext:
        if (known := known_context(self._used)) is not None:
            return known
        if self._context is None:
            self._context = asyncio.create_task(asyncio.to_thread(build_context, self._used))
        return await asyncio.shield(self._context)


async def scan_one(environment: Environment, trust: TrustUsed, endpoint: Endpoint) -> EndpointChain:
    """Scan one endpoint alone."""
    scanner = Scanner(environment, trust)
    try:
        return await scanner.scan(endpoint)
    finally:
        await scanner.stop()


def chains(presented: Iterable[EndpointChain]) -> frozenset[bytes]:
    """Return every certificate that was presented, once."""
    return frozenset(der for each in presented for der in each.chain)
