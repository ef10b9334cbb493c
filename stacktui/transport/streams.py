"""Byte streams over a socket and over TLS.

TLS runs over memory buffers rather than inside the event loop's transport, so that the bytes of a
failed handshake can be read, and so that TLS can run inside a proxy's TLS.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Protocol

READ_SIZE = 64 * 1024


class Stream(Protocol):
    """The layer below a TLS or an HTTP connection."""

    async def read(self, max_bytes: int) -> bytes: ...

    async def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def readable(self) -> bool:
        """Return whether bytes or EOF can be read now.

        May consume a byte, so only for a stream from which no more data is expected.
        """
        ...


class SocketStream:
    """A connected, non-blocking TCP socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def read(self, max_bytes: int) -> bytes:
        # sock_recv does not yield while there is data: without this, a peer that never pauses
        # would block timeouts and the screen.
        await asyncio.sleep(0)
        return await self._loop.sock_recv(self._sock, max_bytes)

    async def write(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, data)

    def close(self) -> None:
        self._sock.close()

    def readable(self) -> bool:
        # Not with a selector, which needs a file descriptor: there may be none left.
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass  # closed or reset: a read will report which
        return True


class TlsStream:
    """TLS as a client over another stream.

    `received` keeps the first bytes of the handshake, which show what a server speaks instead of
    TLS. `trust`, if given, provides the trusted certificates; all else is as in `context`.
    """

    def __init__(
        self,
        below: Stream,
        context: ssl.SSLContext,
        server_name: str,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=False, server_hostname=server_name
        )
        if trust is not None:
            self._tls.context = trust
        self.received = b""

    async def handshake(self) -> None:
        """Raises ssl.SSLError, or OSError from below; EOF is a ConnectionResetError.

        The end of a TLS 1.3 handshake (RFC 8446 section 4.4.4) is sent with the first write: one
        packet instead of two, for which the server would wake twice.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._below.read(READ_SIZE)
                if len(self.received) < 512:
                    self.received += data[:512]
                if not data:
                    raise ConnectionResetError("closed during the TLS handshake") from None
                self._incoming.write(data)
            except ssl.SSLError:
                # Send the alert, if the server has not closed already.
                with suppress(OSError):
                    await self._flush()
                raise
            else:
                return

    async def read(self, max_bytes: int) -> bytes:
        while True:
            try:
                return self._tls.read(max_bytes)
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._below.read(READ_SIZE)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                # Servers often close without close_notify; HTTP's framing detects truncation.
                return b""

    async def write(self, data: bytes) -> None:
        self._tls.write(data)
        await self._flush()

    async def _flush(self) -> None:
        if pending := self._outgoing.read():
            await self._below.write(pending)

    async def finish(self) -> None:
        """Close after a handshake on which nothing follows, whose end is sent."""
        with suppress(OSError):
            await self._flush()
        self.close()

    def close(self) -> None:
        self._below.close()

    def readable(self) -> bool:
        try:
            self._tls.read(1)  # processes what has arrived, such as close_notify
        except ssl.SSLWantReadError:
            return self._below.readable()
        except ssl.SSLError:
            pass
        return True

    @property
    def protocol(self) -> str | None:
        return self._tls.version()

    @property
    def cipher(self) -> str | None:
        cipher = self._tls.cipher()
        return cipher[0] if cipher else None

    def chain(self) -> tuple[bytes, ...]:
        """Return the certificates that the server sent, leaf first, in DER."""
        return self._certificates("get_unverified_chain")

    def verified_chain(self) -> tuple[bytes, ...]:
        """Return the certificates that verified it, from the leaf to a trusted root, in DER.

        Of a context that verifies; else they are what OpenSSL found, not what it accepted.
        """
        return self._certificates("get_verified_chain")

    def _certificates(self, method: str) -> tuple[bytes, ...]:
        if hasattr(self._tls, method):  # Python 3.13 and later
            return tuple(getattr(self._tls, method)())
        # Before 3.13 the same method exists one layer down, giving certificate objects.
        der = ssl._ssl.ENCODING_DER  # type: ignore[attr-defined]
        raw = getattr(self._tls._sslobj, method)()  # type: ignore[attr-defined]
        return tuple(each.public_bytes(der) for each in raw or ())
