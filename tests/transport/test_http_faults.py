"""Answers that do not come, or are not HTTP."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportFaultKind
from tests.support.authority import authority, localhost, localhost_server
from tests.support.listeners import closing_at_once, listening
from tests.support.sessions import MIB, failure, names, opened
from tests.support.web import Raw, answer, serving

UP_TO_FIRST_BYTE = ["dns", "tcp", "tls", "request", "first-byte!"]


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad\x00Name: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: strange\r\n\r\n",
        b"\x00" * 64 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"a" * 200_000,
        b"<html>\x1b[2J</html>\r\n\r\n",
    ],
)
@pytest.mark.parametrize("then", ["keep", "close"])
async def test_an_answer_that_is_not_http_is_named(data: bytes, then: str) -> None:
    async with serving(Raw(data, then)) as web, opened() as session:
        fault, exchange = await failure(session, web.url)
    assert fault.kind is TransportFaultKind.HTTP_PROTOCOL
    assert (fault.host, fault.port) == ("localhost", web.listener.port)
    assert fault.detail.startswith("the answer is not HTTP/1.1: ")
    assert fault.detail.isprintable()
    assert len(fault.detail) <= 400
    assert names(exchange.phases) == UP_TO_FIRST_BYTE
    assert exchange.response is None


@pytest.mark.parametrize(
    "said", [Raw(b"", "close"), Raw(b"", "reset"), Raw(b"HTTP/1.1 20", "close")]
)
async def test_a_connection_that_ends_before_an_answer(said: Raw) -> None:
    async with serving(said) as web, opened() as session:
        fault, exchange = await failure(session, web.url)
    assert fault.kind is TransportFaultKind.HTTP_RESET
    assert fault.detail == "the connection was closed before an answer came"
    assert names(exchange.phases) == UP_TO_FIRST_BYTE


async def test_a_connection_that_ends_right_after_tls() -> None:
    async with (
        listening(closing_at_once, context=localhost_server()) as listener,
        opened() as session,
    ):
        fault, exchange = await failure(session, listener.url)
    assert fault.kind is TransportFaultKind.HTTP_RESET
    assert names(exchange.phases)[:3] == ["dns", "tcp", "tls"]


async def test_a_server_that_wants_a_client_certificate_hangs_up() -> None:
    context = authority().server(localhost())
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # which tells only after the handshake
    context.verify_mode = ssl.CERT_REQUIRED
    async with serving(answer(), context=context) as web, opened() as session:
        fault, _ = await failure(session, web.url)
    assert fault.kind is TransportFaultKind.HTTP_RESET
    assert web.asked == []


def _dripping() -> Iterator[bytes]:
    yield from (b"H", b"T", b"T", b"P")


@pytest.mark.parametrize(
    "said", [Raw(b"", "hang"), Raw(_dripping(), "hang"), Raw(b"HTTP/1.1 100 C\r\n\r\n", "hang")]
)
async def test_an_answer_that_never_begins(said: Raw) -> None:
    async with serving(said) as web, opened(limits=Limits(first_byte=0.2)) as session:
        fault, exchange = await failure(session, web.url)
        async with asyncio.timeout(5):
            await web.listener.all_closed.wait()
    assert fault.kind is TransportFaultKind.FIRST_BYTE_TIMEOUT
    assert (fault.limit, fault.detail) == (0.2, "the request was sent; no answer in 0.2 s")
    assert names(exchange.phases) == UP_TO_FIRST_BYTE


async def test_a_byte_now_and_then_does_not_hold_off_the_bound() -> None:
    async def dripping(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(1000):
            writer.write(b"X")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with (
        listening(dripping, context=localhost_server()) as listener,
        opened(limits=Limits(first_byte=0.3)) as session,
    ):
        fault, _ = await failure(session, listener.url)
    assert fault.kind is TransportFaultKind.FIRST_BYTE_TIMEOUT


async def test_interim_answers_without_end_are_bounded() -> None:
    """From a thread of its own, as a peer on the same loop would give way to the bound."""

    def pour() -> None:
        with suppress(OSError):
            raw, _ = server.accept()
            with raw, localhost_server().wrap_socket(raw, server_side=True) as peer:
                while True:
                    peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        pouring = threading.Thread(target=pour)
        pouring.start()
        url = f"https://localhost:{server.getsockname()[1]}"
        async with opened(limits=Limits(first_byte=0.3)) as session:
            fault, exchange = await failure(session, url)
    pouring.join()
    assert fault.kind is TransportFaultKind.FIRST_BYTE_TIMEOUT
    assert exchange.phases[-1].seconds < 5


async def test_an_early_answer_to_a_body_that_is_not_read_counts() -> None:
    early = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(early)
        await writer.drain()

    async with listening(refusing, context=localhost_server()) as listener, opened() as session:
        found = await session.fetch("POST", listener.url, limit=MIB, body=b"x" * 100_000)
    assert (found.status, found.body) == (413, b"big")


@pytest.mark.parametrize("token", ["hunter2\r\nX-Evil: 1", "hunter2\ndef", "hunter2\x00def"])
async def test_a_header_that_cannot_be_sent_is_a_fault_that_does_not_show_it(token: str) -> None:
    from stacktui.transport.records import TransportError

    async with serving(answer()) as web, opened() as session:
        with pytest.raises(TransportError) as caught:
            await session.fetch(
                "GET", web.url, limit=MIB, headers={"Authorization": f"Bearer {token}"}
            )
        exchanges = session.take_exchanges()
    assert web.asked == []
    assert "hunter2" not in str(caught.value) + repr(caught.value.fault) + repr(exchanges)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"SSH-2.0-s3cret\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\ns3cret\r\n\r\n", "illegal header line"),
    ],
)
async def test_what_is_not_http_is_not_quoted(data: bytes, what: str) -> None:
    async with serving(Raw(data, "close")) as web, opened() as session:
        fault, _ = await failure(session, web.url)
    assert fault.detail == f"the answer is not HTTP/1.1: {what}"
