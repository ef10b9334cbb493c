"""CONNECT through real proxies, honest and not."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import pytest

from stacktui.transport.limits import Limits
from stacktui.transport.proxy import ProxyUsed
from stacktui.transport.records import TransportFaultKind
from tests.support.authority import STRANGERS, authority, localhost_server, trusting
from tests.support.listeners import Handler, closed_port, listening, resetting, saying, silent
from tests.support.proxies import answering_connect, proxying
from tests.support.sessions import MIB, failure, names, opened
from tests.support.web import answer, serving

USER, PASSWORD = "ops", "s3cret/pass"
PAIR = b64encode(f"{USER}:{PASSWORD}".encode()).decode()


async def test_a_request_goes_through_a_proxy() -> None:
    async with (
        serving(answer(b"hello")) as web,
        proxying() as proxy,
        opened(proxy=proxy.url) as session,
    ):
        found = await session.fetch("GET", web.url, limit=MIB)
    assert found.body == b"hello"
    assert proxy.targets == [f"localhost:{web.listener.port}"]
    assert proxy.authorizations == [None]
    exchange = found.exchange
    assert names(exchange.phases) == ["dns", "tcp", "proxy", "tls", "request", "first-byte", "body"]
    assert exchange.connection is not None
    assert exchange.connection.proxy == ProxyUsed(proxy.url, "proxy setting")
    assert exchange.connection.attempts[-1].port == proxy.port
    assert exchange.connection.tls is not None
    assert len(exchange.connection.tls.chain) == 2


async def test_a_proxy_from_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer()) as web, proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with opened(proxy=None) as session:
            found = (await session.fetch("GET", web.url, limit=MIB)).exchange.connection
        monkeypatch.setenv("NO_PROXY", "localhost")
        async with opened(proxy=None) as session:
            direct = (await session.fetch("GET", web.url, limit=MIB)).exchange.connection
    assert found is not None
    assert found.proxy == ProxyUsed(proxy.url, "HTTPS_PROXY")
    assert direct is not None
    assert direct.proxy == ProxyUsed(None, "NO_PROXY")
    assert len(proxy.targets) == 1


async def test_a_proxy_that_speaks_tls_itself() -> None:
    async with serving(answer(b"x")) as web, proxying(context=localhost_server()) as proxy:
        url = proxy.url.replace("http:", "https:")
        async with opened(proxy=url) as session:
            found = await session.fetch("GET", web.url, limit=MIB)
    assert found.body == b"x"
    assert names(found.exchange.phases)[:5] == ["dns", "tcp", "tls", "proxy", "tls"]


async def test_a_tls_proxy_that_is_not_trusted() -> None:
    context = STRANGERS.server(STRANGERS.leaf("localhost"))
    async with serving(answer()) as web, proxying(context=context) as proxy:
        url = proxy.url.replace("http:", "https:")
        async with opened(proxy=url) as session:
            fault, exchange = await failure(session, web.url)
    assert fault.kind is TransportFaultKind.TLS_VERIFY
    assert fault.port == proxy.port
    assert names(exchange.phases) == ["dns", "tcp", "tls!"]
    assert proxy.targets == []


async def test_credentials_are_sent_to_the_proxy_and_nowhere_else() -> None:
    async with serving(answer()) as web, proxying(password=PAIR) as proxy:
        url = f"http://{USER}:s3cret%2Fpass@localhost:{proxy.port}"
        async with opened(proxy=url) as session:
            found = await session.fetch("GET", web.url, limit=MIB)
    assert proxy.authorizations == [f"Basic {PAIR}"]
    assert "proxy-authorization" not in web.asked[0].headers
    assert found.exchange.connection is not None
    assert found.exchange.connection.proxy.url == f"http://localhost:{proxy.port}"
    assert "s3cret" not in repr(found)
    assert PAIR not in repr(found)


@pytest.mark.parametrize("credentials", ["", "ops:wr0ng@"])
async def test_a_proxy_that_wants_credentials(credentials: str) -> None:
    async with (
        serving(answer()) as web,
        proxying(password=PAIR) as proxy,
        opened(proxy=f"http://{credentials}localhost:{proxy.port}") as session,
    ):
        fault, exchange = await failure(session, web.url)
    assert fault.kind is TransportFaultKind.PROXY_AUTH_REQUIRED
    assert (fault.host, fault.port) == ("localhost", proxy.port)
    assert fault.detail == (
        "the proxy answered 407 Proxy Authentication Required; it offers Negotiate, Basic"
    )
    assert names(exchange.phases) == ["dns", "tcp", "proxy!"]
    assert web.asked == []
    assert "wr0ng" not in repr(fault) + repr(exchange)


async def test_a_chain_behind_a_proxy_is_looked_at_through_it() -> None:
    context = STRANGERS.server(STRANGERS.leaf("localhost"))
    async with (
        serving(answer(), context=context) as web,
        proxying() as proxy,
        opened(trusting(authority().root), proxy=proxy.url) as session,
    ):
        fault, exchange = await failure(session, web.url)
    assert fault.kind is TransportFaultKind.TLS_VERIFY
    assert exchange.connection is not None
    assert exchange.connection.tls is not None
    assert exchange.connection.tls.unverified_probe
    assert len(exchange.connection.tls.chain) == 2
    assert proxy.targets == [f"localhost:{web.listener.port}"] * 2
    assert web.asked == []


async def test_a_pinned_name_is_what_the_proxy_is_asked_for() -> None:
    name = "management.local.azurestack.external"
    context = authority().server(authority().leaf(name))
    async with serving(answer(), context=context) as web, proxying() as proxy:
        pin = {f"{name}:443": f"127.0.0.1:{web.listener.port}"}
        async with opened(proxy=proxy.url, resolve=pin) as session:
            await session.fetch("GET", f"https://{name}/", limit=MIB)
    assert proxy.targets == [f"127.0.0.1:{web.listener.port}"]


async def test_a_proxy_is_asked_for_an_ipv6_address_in_brackets(ipv6: None) -> None:
    async with serving(answer(), host="::1") as web, proxying() as proxy:
        pin = {"localhost:443": f"[::1]:{web.listener.port}"}
        async with opened(proxy=proxy.url, resolve=pin) as session:
            await session.fetch("GET", "https://localhost/", limit=MIB)
    assert proxy.targets == [f"[::1]:{web.listener.port}"]


async def test_an_international_name_is_asked_of_a_proxy_as_dns_carries_it() -> None:
    async with (
        listening(answering_connect(b"HTTP/1.1 403 No\r\n\r\n")) as listener,
        opened(proxy=f"http://localhost:{listener.port}") as session,
    ):
        fault, _ = await failure(session, "https://münchen.invalid/")
    assert fault.kind is TransportFaultKind.PROXY_REFUSED


async def test_a_proxy_that_is_not_there() -> None:
    with closed_port() as port:
        async with opened(proxy=f"http://localhost:{port}") as session:
            fault, exchange = await failure(session, "https://management.invalid")
    assert fault.kind is TransportFaultKind.PROXY_UNREACHABLE
    assert (fault.host, fault.port, fault.errno) == ("localhost", port, "ECONNREFUSED")
    assert names(exchange.phases) == ["dns", "tcp!"]


async def test_a_proxy_variable_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://u:hunter2/x@proxy:3128")
    async with opened(proxy=None) as session:
        fault, exchange = await failure(session, "https://management.invalid")
    assert fault.kind is TransportFaultKind.PROXY_UNREACHABLE
    assert fault.detail.startswith("HTTPS_PROXY: a proxy must be ")
    assert "hunter2" not in repr(fault) + repr(exchange)


@pytest.mark.parametrize(
    ("handler", "kind", "detail"),
    [
        (
            answering_connect(b"HTTP/1.1 403 Forbidden by \x1b[31mpolicy\r\n\r\n"),
            TransportFaultKind.PROXY_REFUSED,
            r"the proxy answered 403 Forbidden by \x1b[31mpolicy",
        ),
        (
            answering_connect(b"HTTP/1.1 403 Blocked by \xe4 policy\r\nContent-Length: 0\r\n\r\n"),
            TransportFaultKind.PROXY_REFUSED,
            "the proxy answered 403 Blocked by ä policy",
        ),
        (
            answering_connect(b"HTTP/1.1 502\r\n\r\n"),
            TransportFaultKind.PROXY_REFUSED,
            "the proxy answered 502",
        ),
        (
            answering_connect(b"HTTP/1.1 302 Found\r\nLocation: https://x\r\n\r\n"),
            TransportFaultKind.PROXY_REFUSED,
            "the proxy answered 302 Found",
        ),
        (
            answering_connect(b"HTTP/1.1 407 Who\r\n\r\n", then_close=False),
            TransportFaultKind.PROXY_AUTH_REQUIRED,
            "the proxy answered 407 Who",
        ),
        (
            answering_connect(b"SSH-2.0-OpenSSH\r\n\r\n"),
            TransportFaultKind.PROXY_PROTOCOL,
            "the proxy does not speak HTTP: ",
        ),
        (
            saying(b"\x00" * 100_000),
            TransportFaultKind.PROXY_PROTOCOL,
            "the proxy does not speak HTTP: ",
        ),
        (
            answering_connect(b""),
            TransportFaultKind.PROXY_REFUSED,
            "the proxy closed the connection instead of answering CONNECT",
        ),
        (
            answering_connect(b"HTTP/1.1 2"),
            TransportFaultKind.PROXY_REFUSED,
            "the proxy closed the connection instead of answering CONNECT",
        ),
        (
            resetting,
            TransportFaultKind.PROXY_REFUSED,
            "the proxy closed the connection instead of answering CONNECT",
        ),
        (
            silent,
            TransportFaultKind.PROXY_REFUSED,
            "the proxy did not answer CONNECT in 0.3 s",
        ),
        (
            answering_connect(b"HTTP/1.1 100 Continue\r\n\r\n", then_close=False),
            TransportFaultKind.PROXY_REFUSED,
            "the proxy did not answer CONNECT in 0.3 s",
        ),
    ],
)
async def test_a_proxy_that_opens_no_tunnel(
    handler: Handler, kind: TransportFaultKind, detail: str
) -> None:
    async with listening(handler) as listener:
        url = f"http://localhost:{listener.port}"
        async with opened(proxy=url, limits=Limits(first_byte=0.3)) as session:
            fault, exchange = await failure(session, "https://management.invalid")
        async with asyncio.timeout(5):
            await listener.all_closed.wait()
    assert fault.kind is kind
    assert fault.detail.startswith(detail)
    assert fault.detail.isprintable()
    assert (fault.host, fault.port) == ("localhost", listener.port)
    assert names(exchange.phases) == ["dns", "tcp", "proxy!"]


async def test_a_tunnel_that_leads_to_something_else_than_tls() -> None:
    said = b"HTTP/1.1 200 OK\r\n\r\n"
    async with (
        listening(answering_connect(said, then_close=True)) as listener,
        opened(proxy=f"http://localhost:{listener.port}") as session,
    ):
        fault, exchange = await failure(session, "https://management.invalid")
    assert fault.kind is TransportFaultKind.TLS_RESET
    assert fault.host == "management.invalid"
    assert names(exchange.phases) == ["dns", "tcp", "proxy", "tls!"]


async def test_a_tunnel_is_used_again() -> None:
    async with serving(answer()) as web, proxying() as proxy, opened(proxy=proxy.url) as session:
        await session.fetch("GET", web.url, limit=MIB)
        second = await session.fetch("GET", web.url, limit=MIB)
    assert len(proxy.targets) == 1
    assert names(second.exchange.phases) == ["request", "first-byte", "body"]


@pytest.mark.parametrize(
    "said",
    [
        "HTTP/1.1 403 not {0}\r\n\r\n",
        "HTTP/1.1 403 not {1}\r\n\r\n",
        "HTTP/1.1 407 No\r\nProxy-Authenticate: {0}\r\n\r\n",
        'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="{1}"\r\n\r\n',
        "HTTP/1.1 407 No\r\nProxy-Authenticate: {1}\r\n\r\n",
        "SSH-2.0-{0}\r\n\r\n",
        "{1}\r\n\r\n",
    ],
)
async def test_a_proxy_that_echoes_its_credentials_does_not_show_them(said: str) -> None:
    handler = answering_connect(said.format(PASSWORD, PAIR).encode())
    async with listening(handler) as listener:
        url = f"http://{USER}:s3cret%2Fpass@localhost:{listener.port}"
        async with opened(proxy=url) as session:
            fault, exchange = await failure(session, "https://management.invalid")
    shown = repr(fault) + repr(exchange)
    assert "s3cret" not in shown
    assert PAIR[:8] not in shown


async def test_a_target_that_connect_cannot_carry_is_a_fault() -> None:
    for pin in ("a b:443", "ä:443", "h\n:443"):
        async with listening(answering_connect(b"")) as listener:
            url, name = f"http://localhost:{listener.port}", "management.invalid"
            async with opened(proxy=url, resolve={f"{name}:443": pin}) as session:
                fault, _ = await failure(session, f"https://{name}/")
        assert fault.kind is TransportFaultKind.PROXY_PROTOCOL
