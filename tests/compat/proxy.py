"""A CONNECT proxy that pins names, as `curl --connect-to` does: `az` has no such option.

It replaces a site's DNS, so that `az` connects to `https://login.<domain>` without a port.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from tests.support.proxies import pump


@contextmanager
def pinning_proxy(resolve: Mapping[str, str]) -> Iterator[str]:
    """Run a proxy that connects to the pinned `host:port` names only; yields its URL."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def main() -> None:
        stop = asyncio.Event()
        server = await asyncio.start_server(
            lambda reader, writer: _tunnel(reader, writer, resolve), "127.0.0.1", 0
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            started.set_result((port, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    port, loop, stop = started.result(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


async def _tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, resolve: Mapping[str, str]
) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b" ", 2)
        pinned = resolve.get(target.decode()) if method == b"CONNECT" else None
        if pinned is None:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        host, _, port = pinned.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
