"""HTTP/1.1 connections: h11 over asyncio streams, with a bound on every resource."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import format_datetime
from itertools import count

import h11

from stacktui.stamp.clock import Clock
from stacktui.stamp.messages import Delivery, Request, Response, html_page
from stacktui.stamp.request_faults import RequestFaults
from stacktui.stamp.sockets import READ_SIZE, reset, silent_server

MAX_HEAD = 32 * 1024
MAX_BODY = 1024 * 1024
IDLE_SECONDS = 75.0
"""Time to send a request or to read a response; the connection is closed after it."""

MAX_LOG = 4096

BAD_REQUEST = html_page(400, "Bad Request", "<h2>Bad Request</h2>")
TOO_LARGE = html_page(413, "Too Large", "<h2>Request Entity Too Large</h2>")
NOT_CARRIED_OUT = Response(0)
"""Stands for the response to a request that a fault kept from the services; it is never sent."""
SERVER_ERROR = html_page(500, "Server Error", "<h2>Server Error</h2>")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request and its status, without what may be secret: query, body, header values."""

    method: str
    host: str
    path: str
    status: int
    """0 when a request fault let nothing be carried out or answered."""
    connection: int
    """Number of the connection, counted from 1 over all ports."""
    authorized: bool
    """Whether the request carried an Authorization header."""


class RequestLog:
    """The last MAX_LOG requests and the connection counter; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=MAX_LOG)
        self._numbers = count(1)

    def number(self) -> int:
        """Return the number of a new connection."""
        with self._lock:
            return next(self._numbers)

    def add(self, record: RequestRecord) -> None:
        with self._lock:
            self._records.append(record)

    def records(self) -> tuple[RequestRecord, ...]:
        """Return a copy, oldest first."""
        with self._lock:
            return tuple(self._records)


class TooLargeError(Exception):
    """A request body over MAX_BODY."""


class HttpService:
    """HTTP on the connections of one port; `respond` returns the response to each request."""

    def __init__(
        self,
        respond: Callable[[Request], Response],
        *,
        latency: float,
        clock: Clock,
        log: RequestLog,
        faults: RequestFaults,
    ) -> None:
        self._respond = respond
        self._faults = faults
        self._latency = latency
        self._clock = clock
        self._log = log

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        await Connection(self, reader, writer, self._log.number()).serve()

    async def respond(self, request: Request, connection: int) -> Response:
        """Return the response after the latency, or what a request fault makes of it."""
        effect = self._faults.apply(request)
        delay = self._latency + effect.delay
        if delay:
            await asyncio.sleep(delay)
        response = self._carry_out(request) if effect.kind.carried_out else NOT_CARRIED_OUT
        if effect.kind.answer:
            response = effect.kind.answer(int(effect.seconds))
        if effect.kind.delivery is not Delivery.COMPLETE:
            response = replace(response, delivery=effect.kind.delivery)
        record = RequestRecord(
            request.method,
            request.headers.get("host", ""),
            request.path,
            response.status,
            connection,
            "authorization" in request.headers,
        )
        self._log.add(record)
        date = format_datetime(self._clock.now(), usegmt=True)
        return response.with_headers(Date=date, Server="Microsoft-HTTPAPI/2.0")

    def _carry_out(self, request: Request) -> Response:
        """Return the honest response; 500 when the stamp itself fails."""
        try:
            return self._respond(request)
        except Exception:
            _log.exception("no response to %s %s", request.method, request.path)
            return SERVER_ERROR


class Connection:
    """One connection. A malformed request gets an error response and is the last."""

    def __init__(
        self,
        service: HttpService,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
    ) -> None:
        self._service = service
        self._reader = reader
        self._writer = writer
        self._number = number
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._is_head = False
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def serve(self) -> None:
        """Respond to requests until the connection must close."""
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    request = await self._read()
            except TimeoutError:
                return
            except TooLargeError:
                await self._send(TOO_LARGE.with_headers(Connection="close"))
                return
            except (h11.RemoteProtocolError, ValueError):
                with suppress(h11.LocalProtocolError):
                    await self._send(BAD_REQUEST.with_headers(Connection="close"))
                return
            if request is None:
                return
            response = await self._service.respond(request, self._number)
            match response.delivery:
                case Delivery.NEVER:
                    await silent_server(self._reader, self._writer)
                    return
                case Delivery.CLOSED:
                    return
                case Delivery.ABORTED:
                    reset(self._writer)
                    return
                case Delivery.RESET:
                    await self._send_half_and_reset(response)
                    return
                case Delivery.COMPLETE:
                    await self._send(response)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _read(self) -> Request | None:
        """Return the next whole request; None when the peer has closed."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            match event:
                case h11.NEED_DATA:
                    if self._http.they_are_waiting_for_100_continue:
                        self._write(h11.InformationalResponse(status_code=100, headers=[]))
                    self._http.receive_data(await self._reader.read(READ_SIZE))
                case h11.Request():
                    head = event
                    self._is_head = head.method == b"HEAD"
                case h11.Data():
                    body += event.data
                    if len(body) > MAX_BODY:
                        raise TooLargeError
                case h11.EndOfMessage() if head:
                    return _request(head, bytes(body))
                case _:
                    return None

    async def _send(self, response: Response) -> None:
        self._writer.write(self._render(response))
        async with asyncio.timeout(IDLE_SECONDS):
            await self._writer.drain()

    async def _send_half_and_reset(self, response: Response) -> None:
        """Send half of a response, then reset the connection."""
        whole = self._render(response)
        self._writer.write(whole[: len(whole) // 2])
        await self._writer.drain()
        reset(self._writer)

    def _render(self, response: Response) -> bytes:
        """Return head and body as one write: one TLS record and one segment."""
        headers = list((response.headers or {}).items())
        if response.status != 204:
            headers += [("Content-Length", str(len(response.body)))]
        if response.body:
            headers += [("Content-Type", response.content_type)]
        head = h11.Response(status_code=response.status, headers=headers)
        parts = [self._http.send(head) or b""]
        if response.body and not self._is_head:
            parts.append(self._http.send(h11.Data(data=response.body)) or b"")
        parts.append(self._http.send(h11.EndOfMessage()) or b"")
        return b"".join(parts)

    def _write(self, event: h11.InformationalResponse) -> None:
        self._writer.write(self._http.send(event) or b"")


def _request(head: h11.Request, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for name, value in head.headers:
        headers.setdefault(name.decode(), value.decode("latin-1"))
    return Request.parse(head.method.decode(), head.target.decode("latin-1"), headers, body)
