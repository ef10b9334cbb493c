"""Loopback sockets, and what a fault serves on them in place of HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

from stacktui.stamp.hosts import LOOPBACK

HANDSHAKE_SECONDS = 15.0
SHUTDOWN_SECONDS = 1.0
MAX_CONNECTIONS = 256
"""Connections of one port; a further one is aborted."""

READ_SIZE = 16 * 1024
# Connections that surely fill an accept queue of length 0, which holds one.
_QUEUE = 4

ConnectionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(
    handler: ConnectionHandler, opened: socket.socket, context: ssl.SSLContext | None
) -> AsyncIterator[None]:
    """Run `handler` for each connection of a bound socket, over TLS when there is a context.

    A connection ends with its handler, and every one with the context.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(tasks) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()  # the peer left, or sent what no client sends
        except asyncio.CancelledError:
            writer.transport.abort()  # the stamp stops
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(
        serve,
        sock=opened,
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
        ssl_shutdown_timeout=SHUTDOWN_SECONDS if context else None,
    )
    try:
        yield
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def silent_server(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Read until the peer closes, and send nothing."""
    while await reader.read(READ_SIZE):
        pass


async def resetting_server(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reset the connection."""
    reset(writer)


def canned_proxy(response: bytes) -> ConnectionHandler:
    """Return a proxy that sends the same response to every request and then closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await writer.drain()

    return handle


def reset(writer: asyncio.StreamWriter) -> None:
    """Abort a connection with a TCP reset (SO_LINGER with zero seconds)."""
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@contextmanager
def blackhole(opened: socket.socket) -> Iterator[None]:
    """Fill the accept queue of a bound socket, so that Linux drops further connections."""
    opened.listen(0)
    with ExitStack() as stack:
        for _ in range(_QUEUE):
            filler = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            filler.setblocking(False)
            filler.connect_ex(opened.getsockname())
        yield


@contextmanager
def bound_socket(port: int) -> Iterator[socket.socket]:
    """Bind a socket to 127.0.0.1 without listening; OSError when the port is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        if os.name == "posix":
            # A stamp on a fixed port can restart at once. On Windows this would share the port.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((LOOPBACK, port))
        opened.setblocking(False)
        yield opened
