"""An httpx transport that keeps one connection per origin and times every phase of a call.

httpcore frames HTTP/1.1 on streams that `dial` opened; what it cannot tell (which phase failed,
what was on the wire) the call's own record tells.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Protocol

import httpcore
import httpx

from stacktui.transport.bounds import Bounds
from stacktui.transport.dial import Dialler, Route, Trust
from stacktui.transport.facts import (
    ConnectionFacts,
    Phase,
    PhaseName,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.proxy import choose_proxy
from stacktui.transport.streams import TlsStream
from stacktui.transport.text import Cleaner

# The key under which a request's `extensions` carry its Call.
CALL = "stacktui.call"


class Watch(Protocol):
    """Told of phases as they happen, on the event loop's thread. Must not block or raise."""

    def phase_started(self, name: PhaseName, host: str) -> None: ...

    def phase_finished(self, phase: Phase) -> None: ...


@dataclass(slots=True)
class Call:
    """The record of one request while it is under way."""

    watch: Watch
    phases: list[Phase] = field(default_factory=list)
    connection: ConnectionFacts | None = None

    def start(self, name: PhaseName, host: str) -> Callable[[bool], None]:
        """Start a phase's clock; call what this returns, with whether all went well, to stop it."""
        self.watch.phase_started(name, host)
        started = perf_counter()

        def finish(ok: bool) -> None:
            phase = Phase(name, host, perf_counter() - started, ok)
            self.phases.append(phase)
            self.watch.phase_finished(phase)

        return finish

    @contextmanager
    def timed(self, name: PhaseName, host: str) -> Iterator[None]:
        """The same as a context; an exception that leaves it fails the phase."""
        finish = self.start(name, host)
        try:
            yield
        except BaseException:
            finish(False)
            raise
        finish(True)


@dataclass(frozen=True, slots=True)
class _Connection:
    http: httpcore.AsyncHTTP11Connection
    facts: ConnectionFacts


class Connections(httpx.AsyncBaseTransport):
    """Serves httpx; every request must carry its `Call` under `extensions[CALL]`.

    Raises TransportError for what the network did, and whatever `trust` raises.
    """

    def __init__(
        self,
        trust: Trust,
        proxy: str | None,
        resolve: Mapping[str, str],
        bounds: Bounds,
        cleaner: Cleaner,
    ) -> None:
        self._trust = trust
        self._proxy = proxy
        self._resolve = resolve
        self._bounds = bounds
        self._cleaner = cleaner
        self._idle: dict[tuple[str, int], _Connection] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call: Call = request.extensions[CALL]
        host, port = request.url.host, request.url.port or 443
        if request.url.scheme != "https":
            raise _error(TransportFaultKind.INSECURE_URL, host, port, "only https: is spoken")
        connection = self._idle.pop((host, port), None)
        if connection is not None and not connection.http.has_expired():
            call.connection = replace(connection.facts, reused=True)
        else:
            connection = await self._open(host, port, call)
        response = await self._send(connection, request, call)
        body = _Body(response, self, connection, self._cleaner)
        return httpx.Response(response.status, headers=response.headers, stream=body)

    async def _open(self, host: str, port: int, call: Call) -> _Connection:
        try:
            proxy, used = choose_proxy(host, port, self._proxy)
        except ValueError as error:
            detail = self._cleaner.line(str(error))
            raise _error(TransportFaultKind.PROXY_UNREACHABLE, host, port, detail) from None
        route = Route(host, port, self._target(host, port), proxy, used)
        dialler = Dialler(route, self._trust, self._bounds, call.timed, self._cleaner)
        try:
            stream = await dialler.dial()
        finally:
            call.connection = dialler.facts
        origin = httpcore.Origin(b"https", host.encode("idna"), port)
        http = httpcore.AsyncHTTP11Connection(origin, _HttpStream(stream))
        return _Connection(http, dialler.facts)

    def _target(self, host: str, port: int) -> tuple[str, int]:
        pin = self._resolve.get(f"{host}:{port}")
        if pin is None:
            return host, port
        address, _, pinned_port = pin.rpartition(":")
        return address.strip("[]"), int(pinned_port)

    async def _send(
        self, connection: _Connection, request: httpx.Request, call: Call
    ) -> httpcore.Response:
        host, port = connection.facts.host, connection.facts.port
        bound = self._bounds.first_byte
        outgoing = httpcore.Request(
            request.method,
            # The origin as httpcore compares it; the path and query as httpx encoded them.
            httpcore.URL(
                scheme=b"https", host=host.encode("idna"), port=port, target=request.url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions={"trace": _Tracer(call, host)},
        )
        try:
            async with asyncio.timeout(bound):
                return await connection.http.handle_async_request(outgoing)
        except TimeoutError:
            detail = f"the request was sent; no answer in {bound:g} s"
            kind = TransportFaultKind.FIRST_BYTE_TIMEOUT
            raise _error(kind, host, port, detail, bound) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise _exchange_error(error, host, port, self._cleaner) from None

    def keep(self, connection: _Connection) -> None:
        """Take back a connection whose answer has been read to its end."""
        if connection.http.is_idle():
            self._idle[connection.facts.host, connection.facts.port] = connection

    async def aclose(self) -> None:
        idle, self._idle = self._idle, {}
        for connection in idle.values():
            await connection.http.aclose()


class _Tracer:
    """Turns httpcore's trace events into the request and first-byte phases."""

    def __init__(self, call: Call, host: str) -> None:
        self._call = call
        self._host = host
        self._finish: Callable[[bool], None] | None = None

    async def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        match event:
            case "http11.send_request_headers.started":
                self._finish = self._call.start(PhaseName.REQUEST, self._host)
            case "http11.receive_response_headers.started":
                self._end(ok=True)
                self._finish = self._call.start(PhaseName.FIRST_BYTE, self._host)
            case "http11.receive_response_headers.complete":
                self._end(ok=True)
            case "http11.response_closed.started":
                # Reached with a phase still open only when the request failed.
                self._end(ok=False)

    def _end(self, ok: bool) -> None:
        if self._finish is not None:
            self._finish(ok)
            self._finish = None


class _Body(httpx.AsyncByteStream):
    """A response body; read to its end, it gives its connection back."""

    def __init__(
        self,
        response: httpcore.Response,
        owner: Connections,
        connection: _Connection,
        cleaner: Cleaner,
    ) -> None:
        self._response = response
        self._owner = owner
        self._connection = connection
        self._cleaner = cleaner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        facts = self._connection.facts
        try:
            async for part in self._response.aiter_stream():
                yield part
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            detail = self._cleaner.line(f"the answer broke off: {error or type(error).__name__}")
            kind = TransportFaultKind.BODY_TRUNCATED
            raise _error(kind, facts.host, facts.port, detail) from None

    async def aclose(self) -> None:
        await self._response.aclose()
        self._owner.keep(self._connection)


class _HttpStream(httpcore.AsyncNetworkStream):
    """Our TLS stream as httpcore wants it; the bounds are kept one level up."""

    def __init__(self, stream: TlsStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        try:
            await self._stream.write(buffer)
        except (OSError, ssl.SSLError) as error:
            # httpcore then still reads the answer that a server may send before it hangs up.
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        # An idle connection that has something to read has been closed by the server.
        return self._stream.readable() if info == "is_readable" else None


def _exchange_error(error: Exception, host: str, port: int, cleaner: Cleaner) -> TransportError:
    if isinstance(error, httpcore.ProtocolError) and "disconnected" not in str(error):
        detail = cleaner.line(f"the answer is not HTTP/1.1: {error}")
        return _error(TransportFaultKind.HTTP_PROTOCOL, host, port, detail)
    detail = "the connection was closed before an answer came"
    return _error(TransportFaultKind.HTTP_RESET, host, port, detail)


def _error(
    kind: TransportFaultKind, host: str, port: int, detail: str, limit: float | None = None
) -> TransportError:
    return TransportError(TransportFault(kind, host, port, detail, limit=limit))
