"""The stamp's sockets: bound to loopback, served with HTTP or with a fault of the wire."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Protocol

from stacktui.stamp.connection import READ_SIZE, reset_on_close
from stacktui.stamp.hosts import LOOPBACK

HANDSHAKE_SECONDS = 15.0
SHUTDOWN_SECONDS = 1.0
# Connections that fill a queue of length 0, which holds one, and a few to be sure.
_QUEUE = 4


class Service(Protocol):
    """What can be put behind a socket."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""

    async def stop(self) -> None:
        """End every connection."""


class SilentServer:
    """Accepts connections and never says a word: holds them open, or resets them at once."""

    def __init__(self, *, reset: bool) -> None:
        self._reset = reset
        self._writers: set[asyncio.StreamWriter] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._reset:
                reset_on_close(writer.get_extra_info("socket"))
            else:
                while await reader.read(READ_SIZE):
                    pass
        except (OSError, asyncio.CancelledError):
            pass  # the peer left, or the stamp stops
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def stop(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()


class CannedProxy:
    """Answers whatever is asked with the same bytes, as a proxy that lets nobody through."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._writers: set[asyncio.StreamWriter] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self._answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()  # the stamp stops
        finally:
            self._writers.discard(writer)
            writer.close()

    async def stop(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()


@contextmanager
def blackhole(opened: socket.socket) -> Iterator[None]:
    """Have Linux drop what comes to a bound socket: its queue is full, and nobody empties it."""
    opened.listen(0)
    with ExitStack() as stack:
        for _ in range(_QUEUE):
            filler = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            filler.setblocking(False)
            filler.connect_ex(opened.getsockname())
        yield


@contextmanager
def bound_socket(port: int) -> Iterator[socket.socket]:
    """A socket bound to 127.0.0.1, not yet listening; OSError when the port is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        if os.name == "posix":
            # A stamp on a fixed port can start again at once. Windows would share the port.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((LOOPBACK, port))
        opened.setblocking(False)
        yield opened


@asynccontextmanager
async def listening(
    service: Service, opened: socket.socket, context: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """Serve connections of a bound socket, with TLS when there is a context."""
    server = await asyncio.start_server(
        service.handle,
        sock=opened,
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
        ssl_shutdown_timeout=SHUTDOWN_SECONDS if context else None,
    )
    try:
        yield
    finally:
        server.close()
        await service.stop()
        await server.wait_closed()
