"""What a request that goes well is recorded as."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from stacktui.transport.proxy import ProxyUsed
from stacktui.transport.records import (
    Attempt,
    Exchange,
    Phase,
    TransportError,
    TransportFaultKind,
)
from tests.support.authority import authority, localhost
from tests.support.sessions import MIB, Recorder, names, opened
from tests.support.web import Raw, answer, serving

ALL_PHASES = ["dns", "tcp", "tls", "request", "first-byte", "body"]


async def exchange_of(said: Raw, *, confidential: bool = False) -> Exchange:
    async with serving(said) as web, opened() as session:
        found = await session.fetch("GET", web.url, limit=MIB, confidential=confidential)
    return found.exchange


async def test_every_phase_is_told_as_it_happens_and_timed() -> None:
    watch = Recorder()
    async with serving(answer(b"hello")) as web, opened(watch=watch) as session:
        found = await session.fetch("GET", f"{web.url}/path?q=1", limit=MIB)
        (exchange,) = session.take_exchanges()
        assert session.take_exchanges() == ()
    assert found.exchange == exchange
    assert (found.status, found.body) == (200, b"hello")
    assert names(exchange.phases) == ALL_PHASES
    assert tuple(watch.finished) == exchange.phases
    assert [name.value for name in watch.started] == ALL_PHASES
    assert all(phase.seconds >= 0 and phase.host == "localhost" for phase in exchange.phases)
    assert (exchange.method, exchange.url) == ("GET", f"{web.url}/path?q=1")
    assert exchange.fault is None


async def test_the_connection_is_recorded() -> None:
    async with serving(answer()) as web, opened() as session:
        found = (await session.fetch("GET", web.url, limit=MIB)).exchange.connection
    assert found is not None
    assert (found.host, found.port) == ("localhost", web.listener.port)
    assert found.proxy == ProxyUsed(None, "proxy setting")
    assert "127.0.0.1" in found.addresses
    assert (found.pinned, found.reused) == (None, False)
    assert [(each.address, each.error) for each in found.attempts][-1] == ("127.0.0.1", None)
    assert all(each.seconds >= 0 for each in found.attempts)
    tls = found.tls
    assert tls is not None
    assert (tls.server_name, tls.protocol) == ("localhost", "TLSv1.3")
    assert tls.cipher in [each["name"] for each in ssl.create_default_context().get_ciphers()]
    assert tls.chain == (localhost().der, authority().intermediate.der)
    assert (tls.verify_code, tls.verify_message, tls.unverified_probe) == (None, None, False)


async def test_a_pin_takes_the_place_of_the_name() -> None:
    name = "management.local.azurestack.external"
    context = authority().server(authority().leaf(name))
    async with serving(answer(), context=context) as web:
        pin = {f"{name}:443": f"127.0.0.1:{web.listener.port}"}
        async with opened(resolve=pin) as session:
            found = (await session.fetch("GET", f"https://{name}/x", limit=MIB)).exchange
    (asked,) = web.asked
    assert asked.headers["host"] == name
    assert found.connection is not None
    assert found.connection.pinned == f"127.0.0.1:{web.listener.port}"
    assert (found.connection.host, found.connection.port) == (name, 443)
    (attempt,) = found.connection.attempts
    assert attempt == Attempt("127.0.0.1", web.listener.port, attempt.seconds)


async def test_a_pin_of_an_ipv6_address_works(ipv6: None) -> None:
    async with serving(answer(), host="::1") as web:
        pin = {"localhost:443": f"[::1]:{web.listener.port}"}
        async with opened(resolve=pin) as session:
            found = await session.fetch("GET", "https://localhost/", limit=MIB)
    assert found.exchange.connection is not None
    assert found.exchange.connection.addresses == ("::1",)


async def test_an_address_is_reached_without_a_resolver() -> None:
    async with serving(answer()) as web, opened() as session:
        found = await session.fetch("GET", f"https://127.0.0.1:{web.listener.port}", limit=MIB)
    assert found.exchange.connection is not None
    assert found.exchange.connection.addresses == ("127.0.0.1",)


async def test_an_international_name_is_asked_for_as_dns_carries_it() -> None:
    name = "xn--mnchen-3ya.example"
    context = authority().server(authority().leaf(name))
    async with serving(answer(), context=context) as web:
        pin = {f"{name}:443": f"127.0.0.1:{web.listener.port}"}
        async with opened(resolve=pin) as session:
            found = await session.fetch("GET", f"https://{name}/", limit=MIB)
    assert found.exchange.connection is not None
    assert found.exchange.connection.host == name
    assert web.asked[0].headers["host"] == name


async def test_the_headers_that_matter_are_kept_and_cleaned() -> None:
    said = answer(
        b"no", status="403 Forbidden", Server="IIS\x9b31m", X_Ms_Request_Id="r-1", Secret="x",
        Retry_After="17", Set_Cookie="a=b",
    )  # fmt: skip
    response = (await exchange_of(said)).response
    assert response is not None
    assert dict(response.headers) == {
        "server": r"IIS\x9b31m",
        "x-ms-request-id": "r-1",
        "retry-after": "17",
    }
    assert response.header("x-ms-request-id") == "r-1"
    assert response.header("secret") is None
    assert (response.status, response.size, response.excerpt) == (403, 2, "no")
    assert abs(datetime.now(UTC) - response.received) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "confidential", "excerpt"),
    [
        ("200 OK", False, "the body"),
        ("200 OK", True, ""),
        ("302 Found", True, ""),
        ("401 No", True, "the body"),
        ("500 Error", True, "the body"),
    ],
)
async def test_a_confidential_answer_is_quoted_only_if_it_is_an_error(
    status: str, confidential: bool, excerpt: str
) -> None:
    found = await exchange_of(answer(b"the body", status=status), confidential=confidential)
    assert found.response is not None
    assert found.response.excerpt == excerpt


@pytest.mark.parametrize("minutes", [-20, 0, 20])
async def test_the_servers_clock_is_compared_with_ours(minutes: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    response = (await exchange_of(answer(Date=date))).response
    assert response is not None
    assert response.clock_skew == pytest.approx(minutes * 60, abs=3)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Foo 2024", "Thu, 01 Jan 99999 00:00:00 GMT"]
)
async def test_a_date_that_is_none_gives_no_skew(date: str) -> None:
    response = (await exchange_of(answer(Date=date))).response
    assert response is not None
    assert response.clock_skew is None


async def test_a_body_is_sent() -> None:
    async with serving(answer()) as web, opened() as session:
        await session.fetch("POST", web.url, limit=MIB, body=b"a=1", headers={"X-Test": "y"})
    (asked,) = web.asked
    assert (asked.method, asked.body, asked.headers["x-test"]) == ("POST", b"a=1", "y")


async def test_redirects_are_not_followed_and_cookies_not_kept() -> None:
    said = answer(status="302 Found", Location="/elsewhere", Set_Cookie="session=1; Path=/")
    async with serving(said) as web, opened() as session:
        first = await session.fetch("GET", web.url, limit=MIB)
        await session.fetch("GET", web.url, limit=MIB)
    assert first.status == 302
    assert [asked.target for asked in web.asked] == ["/", "/"]
    assert all("cookie" not in asked.headers for asked in web.asked)


@pytest.mark.parametrize("location", ["https://[::1", "http://x:99999/", "//", "\x7f"])
async def test_a_redirect_to_nowhere_is_an_answer_too(location: str) -> None:
    found = await exchange_of(answer(status="302 Found", Location=location))
    assert (found.response and found.response.status, found.fault) == (302, None)


async def test_interim_answers_are_passed_over() -> None:
    said = Raw(b"HTTP/1.1 103 Early\r\n\r\n" + answer(b"x").whole())
    found = await exchange_of(said)
    assert found.response is not None
    assert found.response.status == 200


@pytest.fixture
def _netrc() -> None:
    netrc = Path.home() / ".netrc"
    netrc.write_text("machine localhost login ops password s3cret\n")
    netrc.chmod(0o600)


@pytest.mark.usefixtures("_netrc")
async def test_no_netrc_adds_credentials() -> None:
    async with serving(answer()) as web, opened() as session:
        await session.fetch("GET", web.url, limit=MIB)
    assert "authorization" not in web.asked[0].headers


async def test_nothing_in_a_record_holds_the_body_or_request_headers() -> None:
    async with serving(answer(b"t0p-secret-body")) as web, opened() as session:
        found = await session.fetch(
            "POST", web.url, limit=MIB, confidential=True, body=b"client_secret=s3cret",
            headers={"Authorization": "Bearer s3cret"},
        )  # fmt: skip
    assert isinstance(found.exchange.phases[0], Phase)
    assert "s3cret" not in repr(found)
    assert "t0p-secret" not in repr(found)


@pytest.mark.parametrize("port", [0, 65536, 99999])
async def test_an_impossible_port_is_a_fault_of_the_url(port: int) -> None:
    async with opened() as session:
        with pytest.raises(TransportError, match=f"Invalid port: {port}") as found:
            await session.fetch("GET", f"https://127.0.0.1:{port}/", limit=MIB)
    assert found.value.fault.kind is TransportFaultKind.INSECURE_URL
