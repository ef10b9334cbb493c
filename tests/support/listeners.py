"""Raw listeners on loopback, for what a network or a server can do to a connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Listener:
    """A running listener. `open` are the connections that their peers have not closed yet."""

    port: int
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    all_closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@asynccontextmanager
async def listening(
    handler: Handler,
    *,
    context: ssl.SSLContext | None = None,
    host: str = LOOPBACK,
    port: int = 0,
) -> AsyncIterator[Listener]:
    """Serve every connection with `handler` while the context lasts; port 0 is any free one."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        listener.connections += 1
        listener.open.add(writer)
        listener.arrived.set()
        listener.all_closed.clear()
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()
            listener.open.discard(writer)
            if not listener.open:
                listener.all_closed.set()

    server = await asyncio.start_server(serve, host, port, ssl=context)
    listener = Listener(server.sockets[0].getsockname()[1])
    try:
        yield listener
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_closed(reader: asyncio.StreamReader) -> None:
    """Read until the peer ends the connection."""
    while await reader.read(65536):
        pass


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept and send nothing."""
    await until_closed(reader)


async def closing_at_once(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Close without sending anything."""


async def resetting(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reset the connection."""
    reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Abort a connection with a TCP reset."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def saying(data: bytes, *, then_close: bool = False) -> Handler:
    """Send `data` at once, then wait for the peer to close, or close first."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if not then_close:
            await until_closed(reader)

    return handler


@contextmanager
def closed_port(host: str = LOOPBACK) -> Iterator[int]:
    """A port on which nothing listens; it stays bound, so that nobody else gets it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as holder:
        holder.bind((host, 0))
        yield holder.getsockname()[1]


@contextmanager
def full_port(host: str = LOOPBACK, port: int = 0) -> Iterator[int]:
    """A port whose accept queue is full, so that further connection attempts get no answer."""
    with closing(socket.socket()) as listener:
        listener.bind((host, port))
        listener.listen(0)
        address = listener.getsockname()
        fillers = []
        try:
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                fillers.append(filler)
                with suppress(BlockingIOError):
                    filler.connect(address)
            yield address[1]
        finally:
            for filler in fillers:
                filler.close()
