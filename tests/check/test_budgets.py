"""However slow a peer is, and wherever a check waits, it ends: by itself, or when told to."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.diagnosis.servers import Script, config_for, document_on, scripted
from tests.support.interrupts import interrupt, started
from tests.support.listeners import Handler, full_port, listening, silent
from tests.support.web import Asked, Raw, answer

# Seconds that a busy machine may add to a bound.
BESIDES = 4
NOWHERE = "https://management.nowhere.invalid"
HELLO = b"\x16\x03\x03\x40\x00" + bytes(100)  # the start of a ServerHello that never ends


def dripping(whole: bytes) -> Handler:
    """A byte a second, whatever is said to it."""

    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in whole:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)

    return handler


def drip(head: bytes, rest: bytes) -> Raw:
    """An answer that begins at once, then goes on by a byte a second."""
    return Raw([head, *(bytes([byte]) for byte in rest)], pause=1)


SLOW_HEAD = drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: " + b"x" * 100)
SLOW_BODY = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b" " * 100)
SILENCE = Raw(b"", "hang")


class Pages(Script):
    """Resource groups on pages without end, one in six seconds."""

    def answer(self, asked: Asked) -> Raw:
        if "/resourcegroups" not in asked.target.lower():
            return super().answer(asked)
        link = f"https://{asked.headers['host']}{asked.target}x"
        page = answer(b'{"value": [], "nextLink": "%s"}' % link.encode())
        return Raw([b"", page.whole()], pause=6)


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody slow: the verdict on it, and the seconds of the bound that it hits."""

    serve: Callable[[], AbstractAsyncContextManager[Any]]
    verdict: str
    bound: int
    proxy: str = ""


def peer(handler: Handler) -> Callable[[], AbstractAsyncContextManager[Any]]:
    return lambda: listening(handler)


def web(script: Script) -> Callable[[], AbstractAsyncContextManager[Any]]:
    return lambda: scripted(script)


# Who is silent altogether before or at the metadata, or breaks off in it, has tests elsewhere.
PEERS = {
    "handshake": Peer(peer(dripping(HELLO)), "tls-timeout", 5),
    "proxy": Peer(peer(dripping(b"HTTP/1.1 200 " + b"x" * 100)), "proxy-refused", 15, "http"),
    "proxy's handshake": Peer(peer(dripping(HELLO)), "tls-timeout", 5, "https"),
    "metadata's head": Peer(web(Script(metadata=SLOW_HEAD)), "metadata-timeout", 15),
    "metadata's body": Peer(web(Script(metadata=SLOW_BODY)), "metadata-timeout", 20),
    "no token": Peer(web(Script(token=SILENCE)), "login-timeout", 15),
    "token's head": Peer(web(Script(token=SLOW_HEAD)), "login-timeout", 15),
    "token's body": Peer(web(Script(token=SLOW_BODY)), "login-timeout", 20),
    "groups' head": Peer(web(Script(groups=SLOW_HEAD)), "arm-timeout", 15),
    "groups' body": Peer(web(Script(groups=SLOW_BODY)), "arm-timeout", 20),
    "pages": Peer(web(Pages()), "arm-timeout", 20),
}


async def found_of(slow: Peer, folder: Path) -> tuple[str, float]:
    """The verdict on it, and the seconds that the failed step took."""
    async with slow.serve() as served:
        if slow.proxy:
            setting = f'proxy = "{slow.proxy}://localhost:{served.port}"'
            document = await document_on(folder, NOWHERE, settings=setting)
        else:
            document = await document_on(folder, served.url)
    (failed,) = (each for each in document["steps"] if each["outcome"] == "failed")
    return document["verdict"]["id"], failed["seconds"]


async def test_whoever_drips_hits_a_bound(tmp_path: Path) -> None:
    """All at once, as each takes its bound's seconds; no step takes longer than 20."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(PEERS)))
    folders = [Path(tempfile.mkdtemp(dir=tmp_path)) for _ in PEERS]
    runs = (found_of(*each) for each in zip(PEERS.values(), folders, strict=True))
    found = dict(zip(PEERS, await asyncio.gather(*runs), strict=True))
    assert {name: id_ for name, (id_, _) in found.items()} == {
        name: slow.verdict for name, slow in PEERS.items()
    }
    for name, slow in PEERS.items():
        _, took = found[name]
        assert slow.bound - 1 < took < slow.bound + BESIDES, (name, took)


@dataclass
class Waiting(Script):
    """A stamp that tells when it is asked for what it will not answer."""

    at: str = ""
    reached: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def answer(self, asked: Asked) -> Raw:
        if self.at in asked.target:
            self.reached.set()
        return super().answer(asked)


# where a check waits for a stamp: what is asked for there, and what is answered
WAITS: dict[str, tuple[str, dict[str, Raw]]] = {
    "metadata": ("/metadata/endpoints", {"metadata": SILENCE}),
    "metadata's body": ("/metadata/endpoints", {"metadata": SLOW_BODY}),
    "token": ("/oauth2/token", {"token": SILENCE}),
    "resource groups": ("/resourcegroups", {"groups": SILENCE}),
}


def checking(config: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    check = [sys.executable, "-m", "stacktui", "check", "--config", str(config)]
    return started([*check, "--format", "json"])


async def ended(config: Path, waits: asyncio.Event, what: str) -> None:
    """Start a check, and end it as soon as it waits."""
    with checking(config) as process:
        async with asyncio.timeout(30):
            await waits.wait()
        took = await asyncio.to_thread(interrupt, process)
    print(f"{what}: ended {took * 1000:.0f} ms after Ctrl+C")


@pytest.mark.parametrize("wait", WAITS)
async def test_ctrl_c_ends_a_wait_at_once(wait: str, tmp_path: Path) -> None:
    at, said = WAITS[wait]
    script = Waiting(at=at, **said)
    async with scripted(script) as served:
        await ended(config_for(tmp_path, served.url), script.reached, wait)


@pytest.mark.parametrize("by_proxy", [False, True])
async def test_ctrl_c_ends_a_wait_for_a_connection_at_once(by_proxy: bool, tmp_path: Path) -> None:
    async with listening(silent) as served:
        proxy = f'proxy = "http://localhost:{served.port}"'
        config = (
            config_for(tmp_path, NOWHERE, settings=proxy)
            if by_proxy
            else config_for(tmp_path, served.url)
        )
        await ended(config, served.arrived, "a proxy" if by_proxy else "a handshake")


def test_ctrl_c_ends_a_wait_for_tcp_at_once(tmp_path: Path) -> None:
    with full_port() as port, checking(config_for(tmp_path, f"https://127.0.0.1:{port}")) as check:
        time.sleep(2)  # of the 5 s for which it is waited; nothing tells from outside
        took = interrupt(check)
    print(f"tcp: ended {took * 1000:.0f} ms after Ctrl+C")
