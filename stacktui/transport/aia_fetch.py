"""Fetching issuer certificates over plain HTTP, from a certificate's AIA URL (RFC 5280, 4.2.2.1).

CAs publish them without TLS, which would itself need a complete chain. The caller accepts a
response only if a signature proves it. The URL is from a certificate that is not yet trusted, so
only a GET without credentials is sent, and never to an address that only this machine or its link
can reach.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from types import MappingProxyType
from typing import TypeVar
from urllib.request import (  # type: ignore[attr-defined]
    getproxies_environment,
    proxy_bypass_environment,
)

import h11
import httpx

from stacktui.errors import StacktuiError, is_exhaustion
from stacktui.text.sanitize import Redactor
from stacktui.transport.connections import NullObserver, PhaseObserver, RequestTrace
from stacktui.transport.happy_eyeballs import connect_any
from stacktui.transport.host import is_host
from stacktui.transport.http1 import Http1Connection
from stacktui.transport.proxy import DIRECT, Proxy, ProxyUsed, parse_proxy
from stacktui.transport.records import (
    Exchange,
    PhaseName,
    ResponseFacts,
    TransportError,
    TransportFault,
)
from stacktui.transport.records import TransportFaultKind as Kind
from stacktui.transport.request_log import is_logging, log
from stacktui.transport.resolver import resolve
from stacktui.transport.route import Route, pinned
from stacktui.transport.sent_request import sent_request
from stacktui.transport.streams import SocketStream

T = TypeVar("T")
_SECONDS = 3.0
# Seconds for one URL in all, so that a slow server does not use up the time of the others.
_WHOLE = 6.0
# The ports that CAs publish on.
_PORTS = (80, 8080)
_NOT_ASKED = "an address of this machine or its link is not asked"


def _now() -> datetime:
    return datetime.now(UTC)


class _FetchError(StacktuiError):
    """Nothing is asked; `str()` says why in a few words."""


@dataclass(slots=True)
class _Trace(RequestTrace):
    """What the request log is told; there is no `connection` until the server is asked."""

    observer: PhaseObserver = field(default_factory=NullObserver)
    started: datetime | None = field(default_factory=lambda: _now() if is_logging() else None)
    response: ResponseFacts | None = None
    fault: TransportFault | None = None

    def log(self, url: str) -> None:
        if self.started is None or self.connection is None:
            return
        redactor = Redactor()
        sent = sent_request(self.started, url, {}, None, redactor, ca=(), audience="", local=False)
        phases, shown = tuple(self.phases), redactor.sanitize_untrusted(url)
        log(Exchange("GET", shown, self.connection, self.response, phases, self.fault, sent))


async def fetch_public(
    url: str, limit: int, proxy: str | None = None, pins: Mapping[str, str] = MappingProxyType({})
) -> bytes | str:
    """Return the body, at most `limit` bytes, or the reason in a few words.

    `proxy` and `pins` are the environment's settings; a proxy resolves names itself. Only ports 80
    and 8080 are used. Loopback, link-local, unspecified and multicast addresses are refused,
    unless a pin names them. Follows no redirect. Never raises for a server's or the network's
    faults, nor for an invalid URL. Takes at most 3 s for a step, and 6 s in all. The request log
    has each that is made.
    """
    trace = _Trace()
    try:
        try:
            async with asyncio.timeout(_WHOLE):
                return await _fetch(httpx.URL(url), limit, proxy, pins, trace)
        except TimeoutError:
            raise _error(trace, Kind.STEP_TIMEOUT, f"no whole answer in {_WHOLE:g} s") from None
        except h11.ProtocolError:
            raise _error(trace, Kind.HTTP_PROTOCOL, "the answer is not HTTP/1.1") from None
    except TransportError as error:
        trace.fault = error.fault
        return error.fault.detail
    except _FetchError as error:
        trace.connection = None
        return str(error)
    except (httpx.InvalidURL, OSError, ValueError) as error:
        return type(error).__name__
    finally:
        trace.log(url)


async def _fetch(
    url: httpx.URL, limit: int, setting: str | None, pins: Mapping[str, str], trace: _Trace
) -> bytes | str:
    # As DNS carries it: httpx decodes IDNA names for display.
    host, port = url.raw_host.decode("ascii"), 80 if url.port is None else url.port
    if url.scheme != "http" or not is_host(host):
        raise _FetchError("no http address")
    if url.userinfo:
        raise _FetchError("an address with a user name is not asked")
    if port not in _PORTS:
        raise _FetchError("only ports 80 and 8080 are asked")
    target, headers = url.raw_path, _headers(url)
    proxy, used = _proxy_for(host, port, setting)
    pin = None if proxy else pinned(host, port, pins)
    trace.connection = Route(host, port, pin or (host, port), proxy, used).facts()
    with trace.timed(PhaseName.DNS, host):
        if proxy:
            target = b"http://" + url.netloc + target
            headers += _for_proxy(proxy)
            addresses, port = await _of_proxy(proxy, host), proxy.port
        elif pin:
            addresses, port = await resolve(*pin, _SECONDS), pin[1]
        else:
            addresses = _askable(await resolve(host, port, _SECONDS))
    with trace.timed(PhaseName.TCP, host):
        http = Http1Connection(SocketStream(await _connected(addresses, port, trace)))
    try:
        return await _body(http, target, headers, limit, trace)
    finally:
        http.close()


def _headers(url: httpx.URL) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", url.netloc),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
        (b"User-Agent", b"stacktui"),
        (b"Connection", b"close"),
    ]


async def _connected(addresses: Sequence[str], port: int, trace: _Trace) -> socket.socket:
    try:
        connecting = connect_any(addresses, port, _SECONDS, [])
        return await _in_time(connecting, trace, Kind.TCP_TIMEOUT)
    except OSError as error:
        if is_exhaustion(error):
            raise
        refused = isinstance(error, ConnectionRefusedError)
        kind = Kind.TCP_REFUSED if refused else Kind.TCP_UNREACHABLE
        raise _error(trace, kind, "cannot be reached") from None


async def _body(
    http: Http1Connection,
    target: bytes,
    headers: list[tuple[bytes, bytes]],
    limit: int,
    trace: _Trace,
) -> bytes | str:
    host = trace.connection.host if trace.connection else ""
    with trace.timed(PhaseName.REQUEST, host):
        sending = http.send(b"GET", target, headers, b"")
        await _in_time(sending, trace, Kind.FIRST_BYTE_TIMEOUT)
    with trace.timed(PhaseName.FIRST_BYTE, host):
        head = await _in_time(http.head(), trace, Kind.FIRST_BYTE_TIMEOUT)
    trace.response = ResponseFacts(head.status_code, (), 0, "", _now())
    if head.status_code != httpx.codes.OK:
        return f"status {head.status_code}"
    body, parts = bytearray(), http.body()
    with trace.timed(PhaseName.BODY, host):
        while (part := await _in_time(anext(parts, None), trace, Kind.BODY_TRUNCATED)) is not None:
            body += part
            if len(body) > limit:
                raise _error(trace, Kind.TOO_LARGE, f"more than {limit} bytes")
    return bytes(body)


async def _in_time(step: Awaitable[T], trace: _Trace, kind: Kind) -> T:
    try:
        async with asyncio.timeout(_SECONDS):
            return await step
    except TimeoutError:
        raise _error(trace, kind, f"no answer in {_SECONDS:g} s") from None


def _error(trace: _Trace, kind: Kind, detail: str) -> TransportError:
    host, port = (trace.connection.host, trace.connection.port) if trace.connection else ("", 0)
    return TransportError(TransportFault(kind, host, port, detail))


def _askable(addresses: Sequence[str]) -> list[str]:
    """Return the addresses that are neither this machine's nor its link's.

    Services there, such as the metadata service, may act on any request that reaches them. Private
    ranges are allowed: private CAs are there.
    """
    found = [each for each in addresses if not _is_near(each)]
    if not found:
        raise _FetchError(_NOT_ASKED)
    return found


def _is_near(address: str) -> bool:
    ip = ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast


async def _of_proxy(proxy: Proxy, host: str) -> Sequence[str]:
    """Return the proxy's addresses; refuse the same hosts as without it: it may run here."""
    if proxy.scheme != "http":
        raise _FetchError("not asked through an https proxy")
    name = host.rstrip(".").lower()
    address = name
    with suppress(OSError):  # 127.1 and the like are addresses too
        address = socket.inet_ntoa(socket.inet_aton(name))
    with suppress(ValueError):
        _askable([address])
    if name == "localhost" or name.endswith(".localhost"):
        raise _FetchError(_NOT_ASKED)
    return await resolve(proxy.host, proxy.port, _SECONDS)


def _for_proxy(proxy: Proxy) -> list[tuple[bytes, bytes]]:
    sent = proxy.authorization
    return [(b"Proxy-Authorization", sent.encode("ascii"))] if sent else []


def _proxy_for(host: str, port: int, setting: str | None) -> tuple[Proxy | None, ProxyUsed]:
    """Return the proxy for an http: URL: the setting's, else the variables'. Raises ValueError."""
    url, source = setting, "proxy setting"
    if setting is None:
        variables = getproxies_environment()
        url, source = variables.get("http") or variables.get("all"), "no proxy set"
        if url and proxy_bypass_environment(f"{host}:{port}"):
            return None, ProxyUsed(None, "NO_PROXY")
    if not url or url == DIRECT:
        return None, ProxyUsed(None, source)
    proxy = parse_proxy(url, "http_proxy" if setting is None else source)
    return proxy, proxy.used()
