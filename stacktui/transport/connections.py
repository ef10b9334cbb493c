"""An httpx transport that keeps one connection per origin and times the phases of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Protocol

import h11
import httpx

from stacktui.errors import is_exhaustion
from stacktui.text.sanitize import Redactor, escape_control_chars
from stacktui.transport.connector import Connector, Trust
from stacktui.transport.host import Origin, is_host
from stacktui.transport.http1 import Http1Connection, what_is_wrong
from stacktui.transport.limits import LimitName, Limits
from stacktui.transport.records import (
    ConnectionFacts,
    Phase,
    PhaseName,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.route import local_route, route_to
from stacktui.transport.streams import Stream

# The key under which a request's `extensions` carry its Call.
TRACE = "stacktui.call"
# Whether the request is for the metadata service of this machine (see `HttpSession.fetch`).
LOCAL = "stacktui.local"
# Whether it is for a public document, which may come over `http:` (see there too).
PUBLIC = "stacktui.public"


def port_of(url: httpx.URL) -> int:
    """The port that a URL leads to."""
    return url.port or (80 if url.scheme == "http" else 443)


class PhaseObserver(Protocol):
    """Notified of phases as they happen, on the event loop's thread. Must not block or raise."""

    def phase_started(self, name: PhaseName, host: str) -> None: ...

    def phase_finished(self, phase: Phase) -> None: ...


class NullObserver(PhaseObserver):
    """Ignores all phases: for requests outside a check's steps."""

    def phase_started(self, name: PhaseName, host: str) -> None:
        """Do nothing."""

    def phase_finished(self, phase: Phase) -> None:
        """Do nothing."""


@dataclass(slots=True)
class RequestTrace:
    """The phases and the connection of one request while it runs."""

    observer: PhaseObserver
    phases: list[Phase] = field(default_factory=list)
    connection: ConnectionFacts | None = None

    @contextmanager
    def timed(self, name: PhaseName, host: str) -> Iterator[None]:
        """Time a phase; it failed if an exception leaves the context."""
        self.observer.phase_started(name, host)
        started = perf_counter()
        ok = False
        try:
            yield
            ok = True
        finally:
            phase = Phase(name, host, perf_counter() - started, ok)
            self.phases.append(phase)
            self.observer.phase_finished(phase)


@dataclass(frozen=True, slots=True)
class _Connection:
    http: Http1Connection
    facts: ConnectionFacts
    origin: Origin


class Connections(httpx.AsyncBaseTransport):
    """An httpx transport; the extensions of each request must hold `TRACE`, `LOCAL` and `PUBLIC`.

    Raises TransportError for what goes wrong on the network, and whatever `trust` raises.
    """

    def __init__(
        self,
        trust: Trust,
        proxy: str | None,
        resolve: Mapping[str, str],
        limits: Limits,
        redactor: Redactor,
    ) -> None:
        self._trust = trust
        self._proxy = proxy
        self._resolve = resolve
        self._limits = limits
        self._redactor = redactor
        self._idle: dict[Origin, _Connection] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace: RequestTrace = request.extensions[TRACE]
        # The raw host, as DNS and TLS use it: httpx decodes IDNA names, and raises on bad ones.
        scheme, host = request.url.scheme, request.url.raw_host.decode("ascii")
        port, local = port_of(request.url), request.extensions[LOCAL]
        in_clear = local or request.extensions[PUBLIC]
        if scheme != "https" and not (in_clear and scheme == "http"):
            raise _error(TransportFaultKind.INSECURE_URL, host, port, "only https: is spoken")
        if not is_host(host):
            detail = "not a usable host: no name in DNS, and no address"
            raise _error(TransportFaultKind.INSECURE_URL, escape_control_chars(host), port, detail)
        content = await request.aread()
        origin = (scheme, host, port)
        connection = self._take_idle(origin)
        if connection is not None:
            trace.connection = replace(connection.facts, reused=True)
        else:
            connection = await self._open(origin, trace, local)
        try:
            head = await self._send(connection, request, content, trace)
        except TransportError as error:
            if not _closed_idle(error, request, trace):
                raise
            trace.phases.clear()  # those of the dead connection are not part of this exchange
            connection = await self._open(origin, trace, local)
            head = await self._send(connection, request, content, trace)
        body = _Body(connection, self._keep)
        return _Response(head.status_code, headers=head.headers.raw_items(), stream=body)

    def _take_idle(self, origin: Origin) -> _Connection | None:
        connection = self._idle.pop(origin, None)
        if connection is not None and connection.http.stale():
            connection.http.close()
            return None
        return connection

    async def _open(self, origin: Origin, trace: RequestTrace, local: bool) -> _Connection:
        scheme, host, port = origin
        if local:
            route = local_route(host, port)
        else:
            route = route_to(host, port, self._proxy, self._resolve, self._redactor)
        connector = Connector(route, self._trust, self._limits, trace.timed, self._redactor)
        try:
            in_clear = scheme == "http"
            stream: Stream = await (connector.connect() if in_clear else connector.connect_tls())
        finally:
            trace.connection = connector.facts
        return _Connection(Http1Connection(stream), connector.facts, origin)

    async def _send(
        self, connection: _Connection, request: httpx.Request, content: bytes, trace: RequestTrace
    ) -> h11.Response:
        """Return the response's head; close the connection where none comes."""
        try:
            return await self._ask(connection, request, content, trace)
        except BaseException:
            connection.http.close()
            raise

    async def _ask(
        self, connection: _Connection, request: httpx.Request, content: bytes, trace: RequestTrace
    ) -> h11.Response:
        http, host, port = connection.http, connection.facts.host, connection.facts.port
        limit = self._limits.first_byte
        try:
            async with asyncio.timeout(limit):
                with trace.timed(PhaseName.REQUEST, host):
                    method, headers = request.method.encode(), request.headers.raw
                    await http.send(method, request.url.raw_path, headers, content)
                with trace.timed(PhaseName.FIRST_BYTE, host):
                    return await http.head()
        except TimeoutError:
            detail = f"the request was sent; no answer in {limit:g} s"
            kind = TransportFaultKind.FIRST_BYTE_TIMEOUT
            fault = TransportFault(
                kind, host, port, detail, limit=limit, setting=LimitName.FIRST_BYTE
            )
            raise TransportError(fault) from None
        except h11.LocalProtocolError:
            # h11's message would quote the header, which may be a token.
            detail = "the request holds a character that HTTP/1.1 cannot carry"
            raise _error(TransportFaultKind.HTTP_PROTOCOL, host, port, detail) from None
        except h11.RemoteProtocolError as error:
            detail = f"the answer is not HTTP/1.1: {what_is_wrong(error)}"
            raise _error(TransportFaultKind.HTTP_PROTOCOL, host, port, detail) from None
        except OSError as error:
            if is_exhaustion(error):
                raise
            detail = "the connection was closed before an answer came"
            raise _error(TransportFaultKind.HTTP_RESET, host, port, detail) from None

    def _keep(self, connection: _Connection) -> None:
        """Keep a connection for reuse if its response was read to the end; else close it."""
        if connection.http.reuse():
            self._idle[connection.origin] = connection
        else:
            connection.http.close()

    async def aclose(self) -> None:
        idle, self._idle = self._idle, {}
        for connection in idle.values():
            connection.http.close()


class _Response(httpx.Response):
    """A response that leads nowhere else."""

    @property
    def has_redirect_location(self) -> bool:
        """Return False: else httpx parses the Location of a redirect that it does not follow,
        and raises where that is malformed."""
        return False


class _Body(httpx.AsyncByteStream):
    """A response body, which returns its connection when it is closed."""

    def __init__(self, connection: _Connection, give_back: Callable[[_Connection], None]) -> None:
        self._connection = connection
        self._give_back = give_back
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._connection.http.body():
                yield part
        except h11.RemoteProtocolError as error:
            raise self._broke_off(what_is_wrong(error)) from None
        except OSError as error:
            if is_exhaustion(error):
                raise
            raise self._broke_off(error.strerror or type(error).__name__) from None

    def _broke_off(self, why: str) -> TransportError:
        facts, detail = self._connection.facts, f"the answer broke off: {why}"
        return _error(TransportFaultKind.BODY_TRUNCATED, facts.host, facts.port, detail)

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._give_back(self._connection)


def _closed_idle(error: TransportError, request: httpx.Request, trace: RequestTrace) -> bool:
    """Return whether the server probably closed an idle connection just as we reused it.

    That is not a fault (RFC 9112 section 9.3.1): an idempotent request is repeated, once.
    """
    reused = trace.connection is not None and trace.connection.reused
    reset = error.fault.kind is TransportFaultKind.HTTP_RESET
    return reused and reset and request.method == "GET"


def _error(kind: TransportFaultKind, host: str, port: int, detail: str) -> TransportError:
    return TransportError(TransportFault(kind, host, port, detail))
