"""CONNECT proxies: one that works, and ones with a fixed response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext

from tests.support.listeners import Handler, Listener, listening, until_closed


@dataclass
class ConnectProxy:
    """A running proxy and the requests that it got."""

    listener: Listener
    targets: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.listener.port

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@asynccontextmanager
async def proxying(
    *, context: SSLContext | None = None, password: str | None = None
) -> AsyncIterator[ConnectProxy]:
    """Run a working proxy; `password` is the value that `Basic` credentials must have."""
    proxy: ConnectProxy

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        _, target, _ = head.split(" ", 2)
        given = next(
            (
                line.partition(": ")[2]
                for line in head.split("\r\n")
                if line.lower().startswith("proxy-authorization:")
            ),
            None,
        )
        proxy.targets.append(target)
        proxy.authorizations.append(given)
        if password is not None and given != f"Basic {password}":
            writer.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm="x"\r\n'
                b"Content-Length: 0\r\n\r\n"
            )
            return
        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        finally:
            far_writer.close()

    async with listening(handler, context=context) as listener:
        proxy = ConnectProxy(listener)
        yield proxy


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy what is read to `writer` until either end closes."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def answering_connect(said: bytes, *, then_close: bool = True) -> Handler:
    """Return a proxy that sends the same response to every CONNECT and opens no tunnel."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        if not then_close:
            await until_closed(reader)

    return handler
