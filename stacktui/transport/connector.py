"""Opening a connection: DNS, TCP, proxy and TLS, each phase timed, each fault classified.

It never sends a byte of the user's request.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace

from stacktui.errors import is_exhaustion
from stacktui.text.sanitize import Redactor
from stacktui.transport.happy_eyeballs import connect_any
from stacktui.transport.limits import LimitName, Limits
from stacktui.transport.records import (
    Attempt,
    PhaseName,
    TlsFacts,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.resolver import resolve
from stacktui.transport.route import Route
from stacktui.transport.streams import SocketStream, Stream, TlsStream
from stacktui.transport.tunnel import open_tunnel

# Times one phase; it failed if an exception leaves the context.
Timed = Callable[[PhaseName, str], AbstractContextManager[None]]
# Returns the TLS context, which loads while DNS and TCP run.
Trust = Callable[[], Awaitable[ssl.SSLContext]]

_TCP_KINDS = {
    errno.ECONNREFUSED: TransportFaultKind.TCP_REFUSED,
    errno.ETIMEDOUT: TransportFaultKind.TCP_TIMEOUT,
    errno.ENETUNREACH: TransportFaultKind.TCP_UNREACHABLE,
    errno.EHOSTUNREACH: TransportFaultKind.TCP_UNREACHABLE,
    errno.EADDRNOTAVAIL: TransportFaultKind.TCP_UNREACHABLE,
    errno.ECONNRESET: TransportFaultKind.TCP_RESET,
    errno.EPIPE: TransportFaultKind.TCP_RESET,
}
# X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH (x509_vfy.h).
_WRONG_NAME = (62, 64)
# asyncio's message, which replaces the system's own.
_ASYNCIO_S_OWN = "Connect call failed"


class Connector:
    """Opens one connection over a route; `facts` holds what is known of it so far."""

    def __init__(
        self, route: Route, trust: Trust, limits: Limits, timed: Timed, redactor: Redactor
    ) -> None:
        self.facts = route.facts()
        self._route = route
        self._trust = trust
        self._limits = limits
        self._timed = timed
        self._redactor = redactor

    async def connect_tls(self) -> TlsStream:
        """Open a TLS stream to the origin.

        Raises TransportError, and whatever `trust` raises. Where the origin's certificate does not
        verify, a second connection reads the chain (`facts.tls.unverified_probe`).
        """
        try:
            return await self._connect_tls()
        except TransportError as error:
            verify_failed = error.fault.kind is TransportFaultKind.TLS_VERIFY
            if verify_failed and error.fault.host == self._route.host:
                await self._probe_chain()
            raise

    async def _connect_tls(self) -> TlsStream:
        route = self._route
        below = await self.connect()
        try:
            context = await self._trust()
            stream = TlsStream(below, context, route.host)
            await self._handshake(stream, route.host, route.port)
        except BaseException:
            below.close()
            raise
        tls = TlsFacts(
            route.host,
            stream.protocol,
            stream.cipher,
            stream.chain(),
            verified_chain=stream.verified_chain(),
        )
        self.facts = replace(self.facts, tls=tls)
        return stream

    async def connect(self) -> Stream:
        """Open the stream below TLS: TCP, or a tunnel through the proxy. Raises TransportError."""
        proxy = self._route.proxy
        if proxy is None:
            return await self._tcp(*self._route.target)
        try:
            below: Stream = await self._tcp(proxy.host, proxy.port)
        except TransportError as error:
            fault = replace(error.fault, kind=TransportFaultKind.PROXY_UNREACHABLE)
            raise TransportError(fault) from None
        try:
            if proxy.scheme == "https":
                below = TlsStream(below, await self._trust(), proxy.host)
                await self._handshake(below, proxy.host, proxy.port)
            with self._timed(PhaseName.PROXY, proxy.host):
                await open_tunnel(below, proxy, self._route.target, self._limits, self._redactor)
        except BaseException:
            below.close()
            raise
        return below

    async def _tcp(self, host: str, port: int) -> Stream:
        with self._timed(PhaseName.DNS, host):
            addresses = await resolve(host, port, self._limits.dns)
        self.facts = replace(self.facts, addresses=addresses)
        attempts: list[Attempt] = []
        with self._timed(PhaseName.TCP, host):
            try:
                sock = await connect_any(addresses, port, self._limits.connect, attempts)
            except OSError as error:
                if is_exhaustion(error):
                    raise
                raise TransportError(_tcp_fault(error, host, port, self._limits.connect)) from None
            finally:
                self.facts = replace(self.facts, attempts=tuple(attempts))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SocketStream(sock)

    async def _handshake(self, stream: TlsStream, host: str, port: int) -> None:
        limit = self._limits.tls
        with self._timed(PhaseName.TLS, host):
            try:
                async with asyncio.timeout(limit):
                    await stream.handshake()
            except OSError as error:  # ssl.SSLError and TimeoutError are OSErrors too
                if is_exhaustion(error):
                    raise
                if isinstance(error, ssl.SSLCertVerificationError):
                    message = self._redactor.sanitize(error.verify_message)
                    failed = TlsFacts(host, verify_code=error.verify_code, verify_message=message)
                    self.facts = replace(self.facts, tls=failed)
                fault = _tls_fault(error, stream, host, port, limit, self._redactor)
                raise TransportError(fault) from None

    async def probe(self, *, trusted: bool = False) -> None:
        """Handshake without verification, only to read the chain into `facts.tls`.

        With `trusted`, all but the host name is verified. Nothing is sent over the connection. An
        `https` proxy on the way is verified, since it is sent its credentials. Raises
        TransportError, and whatever `trust` raises.
        """
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname = False
        if not trusted:
            blind.verify_mode = ssl.CERT_NONE
        route = self._route
        below = await self.connect()
        try:
            trust = await self._trust() if trusted else None
            stream = TlsStream(below, blind, route.host, trust)
            await self._handshake(stream, route.host, route.port)
            await stream.finish()
        finally:
            below.close()
        tls = TlsFacts(
            route.host, stream.protocol, stream.cipher, stream.chain(), unverified_probe=True
        )
        self.facts = replace(self.facts, tls=tls)

    async def _probe_chain(self) -> None:
        """Add the chain to `facts.tls` after a failed verification, if a probe can read it."""
        failed = self.facts.tls
        if failed is None:
            return
        seen: TlsFacts | None = None
        verify_code_ignoring_name: int | None = None
        if failed.verify_code in _WRONG_NAME:
            seen = await self._seen(trusted=True)
            # Use the chain of this very handshake: another connection may present another one.
            verify_code_ignoring_name = (seen.verify_code or 0) if seen else None
        if seen is None or not seen.chain:
            seen = await self._seen()
        if seen is not None:
            seen = replace(
                seen,
                verify_code=failed.verify_code,
                verify_message=failed.verify_message,
                verify_code_ignoring_name=verify_code_ignoring_name,
            )
            self.facts = replace(self.facts, tls=seen)

    async def _seen(self, *, trusted: bool = False) -> TlsFacts | None:
        prober = Connector(self._route, self._trust, self._limits, untimed, self._redactor)
        with suppress(TransportError):  # the fault is reported without the chain
            await prober.probe(trusted=trusted)
        return prober.facts.tls


def untimed(_name: PhaseName, _host: str) -> AbstractContextManager[None]:
    """Time nothing: for a connection whose phases are not reported."""
    return nullcontext()


def _tcp_fault(error: OSError, host: str, port: int, limit: float) -> TransportFault:
    # The kernel's own time-out, after about two minutes, is a TimeoutError with an errno.
    if isinstance(error, TimeoutError) and error.errno is None:
        kind, detail = TransportFaultKind.TCP_TIMEOUT, f"no answer in {limit:g} s"
        return TransportFault(
            kind, host, port, detail, errno="ETIMEDOUT", limit=limit, setting=LimitName.CONNECT
        )
    kind = _TCP_KINDS.get(error.errno or 0, TransportFaultKind.TCP_UNREACHABLE)
    symbol = errno.errorcode.get(error.errno or 0)
    detail = error.strerror or str(error)
    if symbol is not None and detail.startswith(_ASYNCIO_S_OWN):
        detail = os.strerror(error.errno or 0)
    return TransportFault(kind, host, port, detail, errno=symbol)


def _tls_fault(
    error: OSError, stream: TlsStream, host: str, port: int, limit: float, redactor: Redactor
) -> TransportFault:
    kinds = TransportFaultKind
    match error:
        case ssl.SSLCertVerificationError():
            detail = redactor.sanitize(error.verify_message)
            code = error.verify_code
            return TransportFault(kinds.TLS_VERIFY, host, port, detail, verify_code=code)
        case _ if stream.received and not _is_tls(stream):
            answer = redactor.snippet(stream.received, 120)
            detail = "what came back is not TLS"
            return TransportFault(kinds.TLS_NOT_TLS, host, port, detail, answer=answer)
        case ssl.SSLError():
            detail = redactor.sanitize(error.reason or str(error))
            return TransportFault(kinds.TLS_REFUSED, host, port, detail)
        case TimeoutError():
            detail = f"the handshake did not end in {limit:g} s"
            return TransportFault(
                kinds.TLS_TIMEOUT, host, port, detail, limit=limit, setting=LimitName.TLS
            )
    symbol = errno.errorcode.get(error.errno or errno.ECONNRESET)
    detail = "the connection was closed during the handshake"
    return TransportFault(kinds.TLS_RESET, host, port, detail, errno=symbol)


def _is_tls(stream: TlsStream) -> bool:
    # RFC 8446 section 5.1: a record starts with its type (20 to 24), then 0x03.
    kind, version = stream.received[:1], stream.received[1:2]
    return b"\x14" <= kind <= b"\x18" and version in (b"\x03", b"")
