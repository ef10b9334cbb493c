"""What can go wrong before TLS: names, addresses, ports."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import sys
import time
from contextlib import suppress

import pytest

from stacktui.errors import is_exhaustion
from stacktui.transport import happy_eyeballs
from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportFaultKind
from stacktui.transport.resolver import resolve
from tests.support.listeners import closed_port, full_port
from tests.support.names import resolver_that_hangs, resolving
from tests.support.sessions import MIB, failure, names, opened
from tests.support.web import answer, serving

NAME = "management.local.azurestack.invalid"


async def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    resolving(monkeypatch, unknown)
    async with opened() as session:
        fault, exchange = await failure(session, f"https://{NAME}:8443")
    assert fault.kind is TransportFaultKind.DNS_NOT_FOUND
    assert (fault.host, fault.port, fault.errno) == (NAME, 8443, "EAI_NONAME")
    assert fault.detail == "Name or service not known"
    assert names(exchange.phases) == ["dns!"]
    assert exchange.connection is not None
    assert (exchange.connection.addresses, exchange.response) == ((), None)


@pytest.mark.parametrize("proxy", ["none", "http://127.0.0.1:9"])
@pytest.mark.parametrize("host", [f"{'a' * 64}.invalid", ".evil.test", "a..b", "a." * 127 + "bb"])
async def test_a_name_that_cannot_exist_is_not_asked_for(host: str, proxy: str) -> None:
    async with opened(proxy=proxy) as session:
        fault, exchange = await failure(session, f"https://{host}/")
    assert fault.kind is TransportFaultKind.INSECURE_URL
    assert fault.detail.startswith("not a usable host")
    assert exchange.phases == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a-name.invalid"])
async def test_a_box_without_a_free_descriptor_is_no_fault_of_a_host(host: str) -> None:
    async with serving(answer(b"x")) as web, serving(answer()) as other, opened() as session:
        await session.fetch("GET", web.url, limit=MIB)
        session.take_exchanges()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        taken = []
        try:
            with suppress(OSError):
                while True:
                    taken.append(os.dup(0))
            again = await session.fetch("GET", web.url, limit=MIB)
            session.take_exchanges()
            with pytest.raises(OSError, match="Too many open files") as caught:
                await session.fetch("GET", f"https://{host}:{other.listener.port}", limit=MIB)
        finally:
            for each in taken:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert again.body == b"x"
    assert is_exhaustion(caught.value)


async def test_a_resolver_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with resolver_that_hangs(monkeypatch):
        async with opened(limits=Limits(dns=0.1)) as session:
            fault, exchange = await failure(session, f"https://{NAME}")
    assert fault.kind is TransportFaultKind.DNS_TIMEOUT
    assert (fault.host, fault.limit, fault.detail) == (NAME, 0.1, "no answer in 0.1 s")
    assert names(exchange.phases) == ["dns!"]


async def test_a_resolver_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, socket.gaierror(socket.EAI_AGAIN, "Temporary failure"))
    async with opened() as session:
        fault, _ = await failure(session, f"https://{NAME}")
    assert (fault.kind, fault.errno) == (TransportFaultKind.DNS_TIMEOUT, "EAI_AGAIN")


async def test_addresses_come_once_each_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "10.0.0.2", "::1", "10.0.0.2", "10.0.0.1")
    assert await resolve("x", 443, 5) == ("10.0.0.2", "::1", "10.0.0.1")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_an_address_needs_no_resolver(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with resolver_that_hangs(monkeypatch):
        assert await resolve(address, 443, 5) == (address,)


def test_a_resolver_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with resolver_that_hangs(monkeypatch):
        started = time.monotonic()

        async def look_up() -> None:
            task = asyncio.create_task(resolve(NAME, 443, 20))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(look_up())
        assert time.monotonic() - started < 5


async def test_a_closed_port_refuses() -> None:
    with closed_port() as port:
        async with opened() as session:
            fault, exchange = await failure(session, f"https://127.0.0.1:{port}")
    assert fault.kind is TransportFaultKind.TCP_REFUSED
    assert (fault.host, fault.port, fault.errno) == ("127.0.0.1", port, "ECONNREFUSED")
    assert fault.detail == "Connection refused"
    assert names(exchange.phases) == ["dns", "tcp!"]
    assert exchange.connection is not None
    (attempt,) = exchange.connection.attempts
    assert (attempt.address, attempt.port, attempt.error) == ("127.0.0.1", port, "ECONNREFUSED")


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux treats a full backlog")
async def test_packets_that_vanish_time_out() -> None:
    with full_port() as port:
        async with opened(limits=Limits(connect=0.3)) as session:
            fault, exchange = await failure(session, f"https://127.0.0.1:{port}")
    assert fault.kind is TransportFaultKind.TCP_TIMEOUT
    assert (fault.limit, fault.errno, fault.detail) == (0.3, "ETIMEDOUT", "no answer in 0.3 s")
    assert exchange.connection is not None
    (attempt,) = exchange.connection.attempts
    assert attempt.error == "ETIMEDOUT"
    assert 0.2 < attempt.seconds < 3


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENETUNREACH, TransportFaultKind.TCP_UNREACHABLE),
        (errno.EHOSTUNREACH, TransportFaultKind.TCP_UNREACHABLE),
        (errno.EACCES, TransportFaultKind.TCP_UNREACHABLE),
        (errno.ECONNRESET, TransportFaultKind.TCP_RESET),
        (errno.ETIMEDOUT, TransportFaultKind.TCP_TIMEOUT),
    ],
)
async def test_what_the_system_says_of_an_attempt_is_named(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: TransportFaultKind
) -> None:
    # No loopback peer can make the kernel say these.
    async def connect(_address: str, _port: int) -> socket.socket:
        raise OSError(number, "said the kernel")

    monkeypatch.setattr(happy_eyeballs, "_connect", connect)
    async with opened() as session:
        fault, exchange = await failure(session, "https://127.0.0.1:1")
    assert fault.kind is kind
    assert fault.errno == errno.errorcode[number]
    assert exchange.connection is not None
    assert exchange.connection.attempts[0].error == errno.errorcode[number]


linux = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 needs Linux")


@linux
async def test_a_refused_address_leads_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with serving(answer()) as web, opened() as session:
        found = (await session.fetch("GET", web.url, limit=100)).exchange.connection
    assert found is not None
    assert found.addresses == ("127.0.0.2", "127.0.0.1")
    assert [(each.address, each.error) for each in found.attempts] == [
        ("127.0.0.2", "ECONNREFUSED"),
        ("127.0.0.1", None),
    ]


@linux
async def test_a_silent_address_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
    async with serving(answer()) as web, opened() as session:
        with full_port("127.0.0.2", web.listener.port):
            found = (await session.fetch("GET", web.url, limit=100)).exchange.connection
    assert found is not None
    # The first was given up because another answered, not because its time was over.
    assert {(each.address, each.error) for each in found.attempts} == {
        ("127.0.0.2", "ECANCELED"),
        ("127.0.0.1", None),
    }


@linux
@pytest.mark.parametrize("order", [("127.0.0.2", "127.0.0.3"), ("127.0.0.3", "127.0.0.2")])
async def test_every_dead_address_is_recorded(
    monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    resolving(monkeypatch, *order)
    with full_port("127.0.0.3") as port:
        async with opened(limits=Limits(connect=0.5)) as session:
            _, exchange = await failure(session, f"https://localhost:{port}")
    assert exchange.connection is not None
    assert {(each.address, each.error) for each in exchange.connection.attempts} == {
        ("127.0.0.2", "ECONNREFUSED"),
        ("127.0.0.3", "ETIMEDOUT"),
    }


@pytest.mark.parametrize(
    ("of_first", "of_second", "kind"),
    [
        (errno.ENETUNREACH, errno.ECONNREFUSED, TransportFaultKind.TCP_REFUSED),
        (errno.ECONNREFUSED, errno.ENETUNREACH, TransportFaultKind.TCP_REFUSED),
        (errno.ENETUNREACH, errno.ETIMEDOUT, TransportFaultKind.TCP_TIMEOUT),
        (errno.EADDRNOTAVAIL, None, TransportFaultKind.TCP_TIMEOUT),
    ],
)
async def test_a_box_without_ipv6_does_not_hide_what_ipv4_met(
    monkeypatch: pytest.MonkeyPatch,
    of_first: int,
    of_second: int | None,
    kind: TransportFaultKind,
) -> None:
    async def connect(address: str, _port: int) -> socket.socket:
        number = of_first if ":" in address else of_second
        if number is None:
            await asyncio.sleep(30)
        raise OSError(number, "said the kernel")

    monkeypatch.setattr(happy_eyeballs, "_connect", connect)
    resolving(monkeypatch, "fd00::1", "10.0.0.1")
    async with opened(limits=Limits(connect=0.4)) as session:
        fault, _ = await failure(session, "https://localhost:1")
    assert fault.kind is kind


@pytest.mark.parametrize(
    "url",
    ["http://localhost/", "http://localhost:443/", "ftp://localhost/", "//localhost", "", "x"],
)
async def test_only_https_is_spoken(url: str) -> None:
    async with opened() as session:
        fault, exchange = await failure(session, url)
    assert fault.kind is TransportFaultKind.INSECURE_URL
    assert exchange.phases == ()


@pytest.mark.parametrize(
    "url",
    ["https://", "https://[::1", "https://host.invalid:99999999", "https://ho\x1bst/", "https://a/\ud800",
     "https://xn--a.invalid/"],
)  # fmt: skip
async def test_a_url_that_cannot_be_used_is_named_cleanly(url: str) -> None:
    async with opened() as session:
        fault, exchange = await failure(session, url)
    assert fault.kind in (TransportFaultKind.INSECURE_URL, TransportFaultKind.DNS_NOT_FOUND)
    assert fault.detail.isprintable()
    assert exchange.url.isprintable()
