"""TLS that fails, and the chain that is seen all the same."""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
from datetime import timedelta

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportFaultKind
from tests.support.authority import (
    STRANGERS,
    Issued,
    authority,
    issue,
    localhost,
    server_context,
    trusting,
)
from tests.support.listeners import Handler, closing_at_once, listening, resetting, saying, silent
from tests.support.sessions import MIB, failure, names, opened, trusting_file
from tests.support.web import answer, serving

DAY = timedelta(days=1)
OURS = authority()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
async def test_the_chain_is_the_one_that_openssl_sees() -> None:
    async with serving(answer()) as web, opened() as session:
        found = (await session.fetch("GET", web.url, limit=MIB)).exchange.connection
        process = await asyncio.create_subprocess_exec(
            "openssl", "s_client", "-connect", f"localhost:{web.listener.port}", "-showcerts",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await process.communicate()
    blocks = re.findall("-----BEGIN.*?END CERTIFICATE-----", out.decode(), re.DOTALL)
    assert found is not None
    assert found.tls is not None
    assert found.tls.chain == tuple(ssl.PEM_cert_to_DER_cert(block) for block in blocks)
    assert len(found.tls.chain) == 2


EXPIRED = OURS.leaf("localhost", starts=-9 * DAY, ends=-2 * DAY)
FUTURE = OURS.leaf("localhost", starts=2 * DAY)
MISNAMED = OURS.leaf("management.east.contoso.example")
SELF_SIGNED = issue("localhost", ("localhost",), None)


@pytest.mark.parametrize(
    ("context", "code", "chain"),
    [
        (OURS.server(EXPIRED), 10, (EXPIRED, OURS.intermediate)),
        (OURS.server(FUTURE), 9, (FUTURE, OURS.intermediate)),
        (OURS.server(MISNAMED), 62, (MISNAMED, OURS.intermediate)),
        (server_context(SELF_SIGNED), 18, (SELF_SIGNED,)),
        (OURS.server(localhost(), whole=False), 20, (localhost(),)),
        (
            server_context(localhost(), OURS.intermediate.pem + STRANGERS.root.pem),
            None,
            (localhost(), OURS.intermediate, STRANGERS.root),
        ),
    ],
    ids=["expired", "future", "misnamed", "self-signed", "no-intermediate", "extra-is-harmless"],
)
async def test_a_chain_that_does_not_verify_is_looked_at(
    context: ssl.SSLContext, code: int | None, chain: tuple[Issued, ...]
) -> None:
    async with serving(answer(), context=context) as web, opened() as session:
        if code is None:
            exchange = (await session.fetch("GET", web.url, limit=MIB)).exchange
        else:
            fault, exchange = await failure(session, web.url)
            assert fault.kind is TransportFaultKind.TLS_VERIFY
            assert (fault.host, fault.port) == ("localhost", web.listener.port)
            assert fault.verify_code == code
            assert web.asked == []
            assert names(exchange.phases) == ["dns", "tcp", "tls!"]
    assert exchange.connection is not None
    tls = exchange.connection.tls
    assert tls is not None
    assert tls.chain == tuple(each.der for each in chain)
    assert (tls.verify_code, tls.unverified_probe) == (code, code is not None)
    assert (tls.server_name, tls.protocol) == ("localhost", "TLSv1.3")


async def test_an_unknown_root_is_named_by_its_code() -> None:
    async with serving(answer()) as web, opened(trusting(STRANGERS.root)) as session:
        fault, exchange = await failure(session, web.url)
    assert fault.verify_code == 20
    assert fault.detail == "unable to get local issuer certificate"
    assert exchange.connection is not None
    assert exchange.connection.tls is not None
    assert exchange.connection.tls.verify_message == fault.detail


async def test_a_root_in_the_chain_that_nobody_trusts() -> None:
    context = server_context(localhost(), OURS.intermediate.pem + OURS.root.pem)
    async with (
        serving(answer(), context=context) as web,
        opened(trusting(STRANGERS.root)) as session,
    ):
        fault, exchange = await failure(session, web.url)
    assert fault.verify_code == 19
    assert exchange.connection is not None
    assert exchange.connection.tls is not None
    assert exchange.connection.tls.chain[-1] == OURS.root.der


async def test_an_address_that_the_certificate_does_not_name() -> None:
    context = OURS.server(OURS.leaf("localhost"))
    async with serving(answer(), context=context) as web, opened() as session:
        fault, _ = await failure(session, f"https://127.0.0.1:{web.listener.port}")
    assert (fault.kind, fault.verify_code) == (TransportFaultKind.TLS_VERIFY, 64)


@pytest.mark.parametrize("kind", ["tls-untrusted-root", "tls-expired", "tls-name-mismatch"])
async def test_looking_at_a_stamps_chain_asks_it_for_nothing(kind: str) -> None:
    with run_in_thread(StampOptions(fault=kind)) as stamp:
        async with opened(trusting_file(stamp.ca_file)) as session:
            fault, exchange = await failure(session, stamp.arm_url)
        assert stamp.requests == ()
    assert fault.kind is TransportFaultKind.TLS_VERIFY
    assert exchange.connection is not None
    assert exchange.connection.tls is not None
    assert len(exchange.connection.tls.chain) == 2


async def test_a_server_that_hides_on_the_second_look_keeps_the_verdict() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if listener.connections > 1:
            await closing_at_once(reader, writer)
            return
        await writer.start_tls(OURS.server(EXPIRED))

    async with listening(once) as listener, opened() as session:
        fault, exchange = await failure(session, listener.url)
    assert (fault.kind, fault.verify_code) == (TransportFaultKind.TLS_VERIFY, 10)
    assert exchange.connection is not None
    assert exchange.connection.tls is not None
    assert (exchange.connection.tls.chain, exchange.connection.tls.unverified_probe) == ((), False)


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian"),
        (b"220 mail.contoso.example ESMTP\r\n", "220 mail.contoso.example ESMTP"),
        (b"\x1b[2J\x00\xff\xfe garbage", r"\x1b[2J\x00"),
        (b"hi\r\n", "hi"),
    ],
)
@pytest.mark.parametrize("then_close", [True, False])
async def test_a_server_that_does_not_speak_tls_is_quoted(
    said: bytes, quoted: str, then_close: bool
) -> None:
    async with (
        listening(saying(said, then_close=then_close)) as listener,
        opened(limits=Limits(tls=1)) as session,
    ):
        fault, exchange = await failure(session, listener.url)
    assert fault.kind is TransportFaultKind.TLS_NOT_TLS
    assert fault.answer.startswith(quoted)
    assert fault.answer.isprintable()
    assert names(exchange.phases) == ["dns", "tcp", "tls!"]


@pytest.mark.parametrize("handler", [closing_at_once, resetting])
async def test_a_connection_that_ends_in_the_handshake(handler: Handler) -> None:
    async with listening(handler) as listener, opened() as session:
        fault, exchange = await failure(session, listener.url)
    assert fault.kind is TransportFaultKind.TLS_RESET
    assert fault.errno in ("ECONNRESET", "EPIPE")
    assert names(exchange.phases) == ["dns", "tcp", "tls!"]


async def test_a_handshake_that_never_ends() -> None:
    async with listening(silent) as listener, opened(limits=Limits(tls=0.2)) as session:
        fault, exchange = await failure(session, listener.url)
        async with asyncio.timeout(5):
            await listener.all_closed.wait()
    assert fault.kind is TransportFaultKind.TLS_TIMEOUT
    assert (fault.limit, fault.detail) == (0.2, "the handshake did not end in 0.2 s")
    assert names(exchange.phases) == ["dns", "tcp", "tls!"]


async def test_a_handshake_of_which_a_byte_comes_now_and_then() -> None:
    async def dripping(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"\x16\x03\x03\x40\x00" + bytes(1000):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with listening(dripping) as listener, opened(limits=Limits(tls=0.4)) as session:
        fault, _ = await failure(session, listener.url)
    assert fault.kind is TransportFaultKind.TLS_TIMEOUT


@pytest.mark.parametrize(
    ("number", "reason"), [(70, "PROTOCOL_VERSION"), (40, "HANDSHAKE_FAILURE"), (112, "NAME")]
)
async def test_an_alert_in_the_handshake_is_a_refusal(number: int, reason: str) -> None:
    alert = b"\x15\x03\x01\x00\x02\x02" + bytes([number])  # fatal (RFC 8446 section 6.2)
    async with listening(saying(alert)) as listener, opened() as session:
        fault, _ = await failure(session, listener.url)
    assert fault.kind is TransportFaultKind.TLS_REFUSED
    assert reason in fault.detail


async def test_nothing_is_asked_when_trust_fails() -> None:
    from stacktui.text.sanitize import Redactor
    from stacktui.transport.session import HttpSession
    from tests.support.sessions import Recorder

    class TrustError(Exception):
        pass

    async def trust() -> ssl.SSLContext:
        raise TrustError

    async with serving(answer()) as web:
        session = HttpSession(trust, Recorder(), Redactor(), proxy="none")
        with pytest.raises(TrustError):
            await session.fetch("GET", web.url, limit=MIB)
        (exchange,) = session.take_exchanges()
        await session.aclose()
        assert web.asked == []
    assert exchange.fault is None
    assert names(exchange.phases) == ["dns", "tcp"]
