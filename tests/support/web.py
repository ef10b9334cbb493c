"""An HTTPS server that sends scripted bytes and records the requests."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from tests.support.authority import localhost_server
from tests.support.listeners import LOOPBACK, Listener, listening, reset, until_closed


@dataclass(frozen=True)
class Asked:
    """One recorded request."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Raw:
    """Bytes of a response. `then` is what follows them: keep, close, reset or hang.

    `pause` is in seconds, after each of the parts.
    """

    data: bytes | Iterable[bytes]
    then: str = "keep"
    pause: float = 0.0

    def parts(self) -> Iterable[bytes]:
        return [self.data] if isinstance(self.data, bytes) else self.data

    def whole(self) -> bytes:
        return b"".join(self.parts())


Answering = Callable[[Asked], Raw]


@dataclass
class Web:
    """A running web server."""

    listener: Listener
    asked: list[Asked] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    plain: bool = False

    @property
    def url(self) -> str:
        return self.listener.url.replace("https", "http") if self.plain else self.listener.url


def answer(body: bytes = b"", *, status: str = "200 OK", then: str = "keep", **headers: str) -> Raw:
    """Return a response with Content-Length; `_` in a header's name stands for `-`."""
    fields = {"Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return Raw("\r\n".join([*lines, "", ""]).encode("latin-1") + body, then)


def serving(
    *script: Raw | Answering,
    context: ssl.SSLContext | None = None,
    host: str = LOOPBACK,
    port: int = 0,
) -> AbstractAsyncContextManager[Web]:
    """Respond to requests from `script` in order; the last entry is for all further ones."""
    return _serving(script, context or localhost_server(), host, port)


def serving_plain(*script: Raw | Answering) -> AbstractAsyncContextManager[Web]:
    """The same over http:, as the instance metadata service has it."""
    return _serving(script, None, LOOPBACK, 0)


@asynccontextmanager
async def _serving(
    script: tuple[Raw | Answering, ...], context: ssl.SSLContext | None, host: str, port: int
) -> AsyncIterator[Web]:
    web: Web

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (asked := await _read(reader)) is not None:
            web.asked.append(asked)
            web.arrived.set()
            entry = script[min(len(web.asked), len(script)) - 1]
            said = entry if isinstance(entry, Raw) else entry(asked)
            for part in said.parts():
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(said.pause)
            match said.then:
                case "close":
                    return
                case "reset":
                    reset(writer)
                    return
                case "hang":
                    await until_closed(reader)
                    return

    async with listening(handler, context=context, host=host, port=port) as listener:
        web = Web(listener, plain=context is None)
        yield web


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)
