"""However slow a peer is, and wherever a check waits, it ends: by itself, or when told to."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stacktui.check.events import CheckFinished
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.diagnosis import diagnose
from stacktui.transport.limits import LimitName
from tests.diagnosis.servers import Script, config_for, scripted
from tests.support.interrupts import interrupt, started
from tests.support.listeners import Handler, full_port, listening, silent
from tests.support.web import Asked, Raw, answer

# Seconds that a busy machine may add to a limit.
BESIDES = 4
NOWHERE = "https://management.nowhere.invalid"
HELLO = b"\x16\x03\x03\x40\x00" + bytes(100)  # the start of a ServerHello that never ends


def dripping(whole: bytes) -> Handler:
    """A byte every tenth of a second, whatever is said to it."""

    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in whole:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.1)

    return handler


def drip(head: bytes, rest: bytes) -> Raw:
    """An answer that begins at once, then goes on by a byte every tenth of a second."""
    return Raw([head, *(bytes([byte]) for byte in rest)], pause=0.1)


SLOW_HEAD = drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: " + b"x" * 100)
SLOW_BODY = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b" " * 100)
SILENCE = Raw(b"", "hang")


class Pages(Script):
    """Resource groups on pages without end, one in 0.6 seconds."""

    def answer(self, asked: Asked) -> Raw:
        if "/resourcegroups" not in asked.target.lower():
            return super().answer(asked)
        link = f"https://{asked.headers['host']}{asked.target}x"
        page = answer(b'{"value": [], "nextLink": "%s"}' % link.encode())
        return Raw([b"", page.whole()], pause=0.6)


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody slow: the verdict on it, and the limit that it hits."""

    serve: Callable[[], AbstractAsyncContextManager[Any]]
    verdict: str
    limit: LimitName
    proxy: str = ""


def peer(handler: Handler) -> Callable[[], AbstractAsyncContextManager[Any]]:
    return lambda: listening(handler)


def web(script: Script) -> Callable[[], AbstractAsyncContextManager[Any]]:
    return lambda: scripted(script)


# Who is silent altogether before or at the metadata, or breaks off in it, has tests elsewhere.
PEERS = {
    "handshake": Peer(peer(dripping(HELLO)), "tls-timeout", LimitName.TLS),
    "proxy": Peer(
        peer(dripping(b"HTTP/1.1 200 " + b"x" * 100)), "proxy-refused", LimitName.FIRST_BYTE, "http"
    ),
    "proxy's handshake": Peer(peer(dripping(HELLO)), "tls-timeout", LimitName.TLS, "https"),
    "metadata's head": Peer(
        web(Script(metadata=SLOW_HEAD)), "metadata-timeout", LimitName.FIRST_BYTE
    ),
    "metadata's body": Peer(web(Script(metadata=SLOW_BODY)), "metadata-timeout", LimitName.STEP),
    "no token": Peer(web(Script(token=SILENCE)), "login-timeout", LimitName.FIRST_BYTE),
    "token's head": Peer(web(Script(token=SLOW_HEAD)), "login-timeout", LimitName.FIRST_BYTE),
    "token's body": Peer(web(Script(token=SLOW_BODY)), "login-timeout", LimitName.STEP),
    "groups' head": Peer(web(Script(groups=SLOW_HEAD)), "arm-timeout", LimitName.FIRST_BYTE),
    "groups' body": Peer(web(Script(groups=SLOW_BODY)), "arm-timeout", LimitName.STEP),
    "pages": Peer(web(Pages()), "arm-timeout", LimitName.STEP),
}


# Each apart from the next, so that the time tells which was hit.
LIMITS = {LimitName.TLS: 0.5, LimitName.FIRST_BYTE: 1.5, LimitName.STEP: 2.5}


async def found_of(slow: Peer, folder: Path) -> tuple[str, object, float]:
    """The verdict on it, the limit that was hit, and the seconds that the failed step took."""
    async with slow.serve() as served:
        proxy = f'proxy = "{slow.proxy}://localhost:{served.port}"' if slow.proxy else ""
        config = config_for(folder, NOWHERE if proxy else served.url, settings=proxy)
        *_, last = [event async for event in run(load_settings(config, LIMITS).target())]
    assert isinstance(last, CheckFinished)
    failed, verdict = last.report.failed, diagnose(last.report).verdict
    assert failed is not None
    assert verdict is not None
    return verdict.id, getattr(failed.evidence.fault, "setting", None), failed.seconds


async def test_whoever_drips_hits_a_limit(tmp_path: Path) -> None:
    """All at once: two targets never wait for each other."""
    folders = [Path(tempfile.mkdtemp(dir=tmp_path)) for _ in PEERS]
    runs = (found_of(*each) for each in zip(PEERS.values(), folders, strict=True))
    found = dict(zip(PEERS, await asyncio.gather(*runs), strict=True))
    assert {name: each[:2] for name, each in found.items()} == {
        name: (slow.verdict, slow.limit) for name, slow in PEERS.items()
    }
    for name, slow in PEERS.items():
        took, limit = found[name][2], LIMITS[slow.limit]
        assert limit - 0.1 < took < limit + BESIDES, (name, took)


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
        time.sleep(1.5)  # of the 5 s for which it is waited; nothing tells from outside
        took = interrupt(check)
    print(f"tcp: ended {took * 1000:.0f} ms after Ctrl+C")
