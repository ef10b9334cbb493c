"""Sign-in hosts that answer strangely: each answer is a token or a typed fault."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.identities.authority import may_ask
from stacktui.identities.faults import IdentityError, SignInFault, SignInProblem
from stacktui.identities.refusal import MAX_TOKEN
from stacktui.text.sanitize import Redactor
from stacktui.transport.records import TransportError, TransportFaultKind
from tests.identities.sign_ins import (
    AUDIENCE,
    JSON,
    TENANT,
    acquire,
    document,
    login_host,
    ops,
    refused,
)
from tests.support.draws import draws
from tests.support.sessions import opened
from tests.support.web import Raw, answer

SECRET = "s3cret/value+1"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS", SECRET)


def said(value: object, status: str = "200 OK") -> Raw:
    return answer(json.dumps(value).encode(), status=status, **JSON)


async def test_the_request_is_the_one_of_the_protocol() -> None:
    async with (
        login_host(said({"access_token": "opaque", "expires_in": 3600})) as (web, metadata),
        opened() as session,
    ):
        token = await acquire(session, metadata, ops())
    discovery, request = web.asked
    assert discovery.target == f"/{TENANT}/v2.0/.well-known/openid-configuration"
    assert (request.method, request.target) == ("POST", "/token")
    form = dict(pair.split("=") for pair in request.body.decode().split("&"))
    assert form["grant_type"] == "client_credentials"
    assert form["client_secret"] == "s3cret%2Fvalue%2B1"
    assert form["scope"].startswith(
        "https%3A%2F%2Fmanagement.contoso.example%2F3ee899c8%2F.default"
    )
    assert token.value == "opaque"
    assert token.facts.audience is None


async def test_adfs_is_asked_below_adfs() -> None:
    async with (
        login_host(said({"access_token": "x"}), adfs=True) as (web, metadata),
        opened() as session,
    ):
        await acquire(session, metadata, ops(tenant=None))
    assert web.asked[0].target == "/adfs/.well-known/openid-configuration"


async def test_html_in_place_of_a_token_is_named() -> None:
    page = answer(b"<html><title>IIS</title></html>", Content_Type="text/html")
    async with login_host(page) as (_, metadata):
        found = await refused(metadata)
    assert (found.problem, found.status) == (SignInProblem.NOT_JSON, 200)
    assert found.scopes == (f"{AUDIENCE}/.default",)


async def test_html_with_an_error_status_is_the_services_failure() -> None:
    page = answer(b"<html>broken</html>", status="502 Bad Gateway")
    async with login_host(page) as (_, metadata):
        found = await refused(metadata)
    assert (found.problem, found.status) == (SignInProblem.SERVER_ERROR, 502)


@pytest.mark.parametrize(
    ("discovery", "problem", "status"),
    [
        (answer(b"<html></html>"), SignInProblem.NOT_JSON, 200),
        (answer(b"<html></html>", status="404 Not Found"), SignInProblem.NOT_JSON, 404),
        (answer(b"", status="503 No"), SignInProblem.SERVER_ERROR, 503),
        (answer(b"{}", status="500 No"), SignInProblem.SERVER_ERROR, 500),
        (answer(b"{}"), SignInProblem.DISCOVERY, 200),
        (answer(b"[]"), SignInProblem.DISCOVERY, 200),
        (answer(b'"x"'), SignInProblem.DISCOVERY, 200),
        (
            answer(b"", status="302 Found", Location="https://elsewhere"),
            SignInProblem.NOT_JSON,
            302,
        ),
    ],
)
async def test_a_discovery_that_fails_is_named(
    discovery: Raw, problem: SignInProblem, status: int
) -> None:
    async with login_host(said({}), discovery) as (web, metadata):
        found = await refused(metadata)
    assert (found.problem, found.status) == (problem, status)
    assert found.scopes == ()
    assert all(asked.method == "GET" for asked in web.asked)


@pytest.mark.parametrize(
    ("body", "code", "error"),
    [
        (
            {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid."},
            "AADSTS7000215",
            "invalid_client",
        ),
        (
            {"error": "x", "error_description": "MSIS9605: The client is not allowed."},
            "MSIS9605",
            "x",
        ),
        ({"error": "x", "error_codes": [50196]}, "AADSTS50196", "x"),
        (
            {
                "error": "x",
                "error_description": " AADSTS90002: Tenant 'AADSTS7000215' not found.",
            },
            "AADSTS90002",
            "x",
        ),
        (
            {"error": "x", "error_description": "Tenant 'AADSTS7000215' not found AADSTS90002"},
            "",
            "x",
        ),
        (
            {"error": "x", "error_codes": [90002], "error_description": "AADSTS7000215: x"},
            "AADSTS90002",
            "x",
        ),
        ({"error": "x", "error_description": "MSIS9622: Bad."}, "MSIS9622", "x"),
        ({"error": "x", "error_codes": [True]}, "", "x"),
        ({"error": "x", "error_codes": []}, "", "x"),
        ({"error": "x", "error_codes": "7"}, "", "x"),
        ({"error": 5, "error_description": ["x"]}, "", ""),
        ({}, "", ""),
        ([], "", ""),
        ("text", "", ""),
        ({"access_token": ""}, "", ""),
        ({"access_token": 5}, "", ""),
        ({"access_token": None, "error": "x"}, "", "x"),
    ],
)
async def test_what_is_no_token_is_a_refusal(body: Any, code: str, error: str) -> None:
    for status in ("400 Bad Request", "200 OK"):
        async with login_host(said(body, status)) as (_, metadata):
            found = await refused(metadata)
        assert found.problem is SignInProblem.REFUSED
        assert (found.code, found.error) == (code, error)


async def test_msis9605_to_both_scopes_names_both() -> None:
    body = {"error": "unauthorized_client", "error_description": "MSIS9605: Not allowed."}
    async with login_host(said(body, "400 Bad"), adfs=True) as (web, metadata):
        found = await refused(metadata)
    assert found.scopes == (f"{AUDIENCE}/.default", f"{AUDIENCE}/openid")
    assert found.code == "MSIS9605"
    assert [asked.method for asked in web.asked].count("POST") == 2


async def test_a_description_is_cut_before_its_trace_and_cleaned() -> None:
    body = {
        "error": "e\x1b[31m",
        "error_description": "AADSTS50034: No\r\nsuch\x1b[2J user. Trace ID: 1 Correlation ID: 2",
        "correlation_id": "c-\u202e1",
    }
    async with login_host(said(body, "400 Bad")) as (_, metadata):
        found = await refused(metadata)
    assert found.error == r"e\x1b[31m"
    assert found.description == r"AADSTS50034: No such\x1b[2J user."
    assert found.correlation_id == r"c-\u202e1"


async def test_a_service_that_echoes_the_secret_does_not_show_it() -> None:
    for echo in (SECRET, "s3cret%2Fvalue%2B1", "s3cret%2fvalue%2b1", f"client_secret={SECRET}&x"):
        body = {"error": echo, "error_description": f"You sent {echo}!", "correlation_id": echo}
        async with login_host(said(body, "400 Bad")) as (_, metadata), opened() as session:
            with pytest.raises(IdentityError) as caught:
                await acquire(session, metadata, ops())
            shown = repr(session.take_exchanges()) + str(caught.value) + repr(caught.value.fault)
        assert "s3cret" not in shown
        assert "[redacted]" in shown


async def test_a_token_that_is_echoed_later_does_not_show() -> None:
    redactor = Redactor()
    async with (
        login_host(said({"access_token": "opaque-t0ken-value"})) as (_, metadata),
        opened(redactor=redactor) as session,
    ):
        token = await acquire(session, metadata, ops())
        exchanges = session.take_exchanges()
    assert redactor.sanitize("x opaque-t0ken-value") == "x [redacted]"
    assert "t0ken" not in repr(token) + repr(exchanges)


@pytest.mark.parametrize("token", ["abc\ndef-ghi", "abc def", "tökén-value", "abc\x00def"])
async def test_a_token_that_no_header_can_carry_is_no_token(token: str) -> None:
    async with login_host(said({"access_token": token})) as (_, metadata), opened() as session:
        with pytest.raises(IdentityError) as caught:
            await acquire(session, metadata, ops())
    assert isinstance(caught.value.fault, SignInFault)
    assert caught.value.fault.problem is SignInProblem.REFUSED
    assert token not in repr(caught.value.fault)


async def test_a_token_endpoint_over_http_gets_no_secret() -> None:
    async with login_host(said({})) as (other, _):
        plain = document(other.url).replace(b"https:", b"http:")
        async with login_host(said({}), answer(plain, **JSON)) as (web, metadata):
            found = await refused(metadata)
        assert other.listener.connections == 0
    assert found.problem is SignInProblem.DISCOVERY
    assert [asked.method for asked in web.asked] == ["GET"]


async def test_a_login_host_that_is_not_there_is_a_transport_fault() -> None:
    async with login_host(said({})) as (_, metadata):
        pass
    async with opened() as session:
        with pytest.raises(TransportError) as caught:
            await acquire(session, metadata, ops())
    assert caught.value.fault.kind is TransportFaultKind.TCP_REFUSED


_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=4,
)
_ANSWERS = st.dictionaries(
    st.sampled_from(
        [
            "access_token",
            "expires_in",
            "ext_expires_in",
            "id_token",
            "client_info",
            "token_type",
            "refresh_in",
            "scope",
            "error",
            "error_description",
            "error_codes",
            "suberror",
            "foci",
        ]
    ),
    _JSON_VALUES | st.sampled_from(["x", "3600", 3600, 1e400, "eyJ.e.x"]),
)


@settings(
    max_examples=draws(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=_ANSWERS | _JSON_VALUES,
    status=st.sampled_from(["200 OK", "400 Bad", "429 Slow", "500 No"]),
)
def test_any_answer_is_a_token_or_a_fault(body: object, status: str) -> None:
    async def check() -> None:
        async with login_host(said(body, status)) as (_, metadata), opened() as session:
            try:
                token = await acquire(session, metadata, ops())
            except IdentityError as error:
                met = error.fault
            else:
                assert isinstance(body, dict)
                assert token.value == body["access_token"]
                return
        assert isinstance(met, SignInFault)
        assert met.description.isprintable()
        assert met.error.isprintable()

    asyncio.run(check())


@pytest.mark.parametrize("adfs", [False, True])
async def test_a_token_endpoint_on_another_host_gets_no_secret(adfs: bool) -> None:
    async with login_host(said({})) as (other, _):
        elsewhere = answer(document(other.url), **JSON)
        async with login_host(said({}), elsewhere, adfs=adfs) as (web, metadata):
            found = await refused(metadata)
        assert other.listener.connections == 0
    assert found.problem is SignInProblem.FOREIGN_TOKEN_ENDPOINT
    assert found.description == (
        f"the token endpoint it names is on localhost:{other.listener.port}, "
        f"not on localhost:{web.listener.port}"
    )
    assert [asked.method for asked in web.asked] == ["GET"]


@pytest.mark.parametrize(
    ("authority", "url", "may"),
    [
        ("https://adfs.a/adfs", "https://ADFS.a:443/token", True),
        ("https://adfs.a/adfs", "https://adfs.a:444/token", False),
        ("https://adfs.a/adfs", "http://adfs.a/token", False),
        ("https://adfs.a/adfs", "https://adfs.a@evil.test/token", False),
        ("https://adfs.a/adfs", "https://adfs.a.evil.test/token", False),
        ("https://adfs.a/adfs", "https://login.microsoftonline.com/token", False),
        ("https://login.windows.net/t", "https://login.microsoftonline.com/t/token", True),
        ("https://login.microsoftonline.com/t", "https://login.microsoftonline.us/t", True),
        ("https://login.microsoftonline.com/t", "https://login.microsoftonline.com:8443/t", False),
        ("https://login.microsoftonline.com/t", "https://evil.test/t", False),
        ("https://adfs.a/adfs", "https://[broken/token", False),
        ("https://adfs.a/adfs", "/token", False),
    ],
)
def test_who_may_be_asked(authority: str, url: str, may: bool) -> None:
    assert may_ask(authority, url) is may


@pytest.mark.timeout(10)
async def test_a_token_of_absurd_length_is_refused() -> None:
    for token in ("+" * 100_000, "a" * (MAX_TOKEN + 1)):
        async with login_host(said({"access_token": token})) as (_, metadata):
            found = await refused(metadata)
        assert (found.problem, found.status) == (SignInProblem.UNUSABLE_TOKEN, 200)
        assert str(len(token)) in found.description


async def test_a_secret_with_a_blank_at_its_end_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS", f"{SECRET} \n")
    body = {"error": SECRET, "error_description": f"You sent {SECRET}"}
    async with login_host(said(body, "400 Bad")) as (_, metadata):
        found = await refused(metadata)
    assert "s3cret" not in repr(found)
