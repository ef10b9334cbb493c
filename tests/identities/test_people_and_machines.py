"""Tokens for users, for whoever types a device code, and for machines, on stamps of either kind."""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.identities import device_code
from stacktui.identities.faults import (
    IdentityError,
    ImdsFault,
    ImdsProblem,
    SignInFault,
    SignInProblem,
)
from stacktui.identities.model import AZURE_CLI, Identity, IdentityKind
from stacktui.identities.sign_in import acquire_token, prepare
from stacktui.identities.token import Token
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportError, TransportFaultKind
from stacktui.transport.session import HttpSession
from tests.identities.sign_ins import (
    AUDIENCE,
    JSON,
    TENANT,
    document,
    nobody_asked,
    sign_in,
    user_of,
)
from tests.support.draws import draws
from tests.support.listeners import listening, silent
from tests.support.sessions import opened, opened_on, trusting_file
from tests.support.web import Asked, Raw, answer, serving, serving_plain

PAIR = pytest.mark.parametrize("stamp_name", ["entra_stamp", "adfs_stamp"])
CODE = Identity("someone", IdentityKind.DEVICE_CODE, AZURE_CLI, tenant=TENANT)
MACHINE = Identity("vm", IdentityKind.MANAGED_IDENTITY)
VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
ENTRA = Metadata("2015-01-01", "https://unused", AUDIENCE, IdentityProvider.ENTRA)


@pytest.fixture
def stamp(stamp_name: str, request: pytest.FixtureRequest) -> RunningStamp:
    running = request.getfixturevalue(stamp_name)
    assert isinstance(running, RunningStamp)
    return running


# A user


@PAIR
async def test_a_user_gets_a_token(stamp: RunningStamp) -> None:
    """Everything on one host with a port, where MSAL's own way would ask another one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        token, exchanges = await sign_in(stamp, user_of(stamp))
    assert token.facts.subject == stamp.user
    assert token.facts.audience == stamp.identity_provider_audience
    # Discovery and token: no word to anybody about whose password it is before that.
    assert [each.method for each in exchanges] == ["GET", "POST"]
    assert all(each.url.startswith(stamp.login_url.rstrip("/")) for each in exchanges)


async def test_a_user_needs_no_tenant(entra_stamp: RunningStamp) -> None:
    token, exchanges = await sign_in(entra_stamp, user_of(entra_stamp, tenant=None))
    assert token.facts.tenant == entra_stamp.tenant
    assert all("/organizations/" in each.url for each in exchanges)


async def test_a_user_s_password_goes_to_the_authority_alone() -> None:
    async with (
        serving(answer(document("https://elsewhere.test"), **JSON)) as web,
        opened() as session,
    ):
        metadata = replace(ENTRA, login_endpoint=web.url)
        user = Identity("u", IdentityKind.USER, AZURE_CLI, None, TENANT, "a@b.test")
        with pytest.raises(IdentityError) as caught:
            await acquire_token(session, metadata, user, "the-password", nobody_asked)
        assert [each.method for each in web.asked] == ["GET"]
    assert isinstance(caught.value.fault, SignInFault)
    assert caught.value.fault.problem is SignInProblem.FOREIGN_TOKEN_ENDPOINT


# A device code


def approving(stamp: RunningStamp) -> Callable[[str, str, float], None]:
    """Signs in at once, as a person with a browser would."""

    def approve(page: str, code: str, seconds: float) -> None:
        assert page == stamp.device_login_url
        assert 0 < seconds <= 900
        form = f"user_code={code}&username={stamp.user}&password={stamp.password}"
        with urlopen(Request(page, form.encode()), context=trusting_file(stamp.ca_file)) as done:
            assert done.status == 200

    return approve


@pytest.mark.parametrize("idp", ["aad", "adfs"])
async def test_a_person_types_the_code(idp: str) -> None:
    with run_in_thread(StampOptions(idp=idp, device_interval=1)) as stamp:  # type: ignore[arg-type]
        async with opened_on(stamp) as session:
            metadata = await fetch_metadata(session, stamp.arm_url)
            session.take_exchanges()
            identity = replace(CODE, tenant=stamp.tenant)
            prompt = approving(stamp)
            token = await acquire_token(session, metadata, identity, "", prompt)
            exchanges = session.take_exchanges()
    assert token.facts.subject == stamp.user
    assert [each.method for each in exchanges] == ["GET", "POST", "POST"]


def login(*polls: Raw, **code: Any) -> Callable[[Asked], Raw]:
    """A login host that gives a device code, and these answers to the polls for it."""
    said = list(polls)

    def answering(asked: Asked) -> Raw:
        here = f"https://{asked.headers['host']}"
        if asked.method == "GET":
            endpoints = json.loads(document(here))
            extra = {"device_authorization_endpoint": f"{here}/code"}
            return answer(json.dumps(endpoints | extra).encode(), **JSON)
        if asked.target == "/code":
            values = {
                "device_code": "DEV-" + "x" * 30,
                "user_code": "ABCD-EFGH",
                "verification_uri": "https://login.test/device",
                "expires_in": 60,
                "interval": 0.1,
            }
            kept = {name: each for name, each in (values | code).items() if each is not None}
            return answer(json.dumps(kept).encode(), **JSON)
        return said.pop(0) if len(said) > 1 else said[0]

    return answering


def said(error: str, status: str = "400 Bad Request") -> Raw:
    return answer(json.dumps({"error": error}).encode(), status=status, **JSON)


PENDING = said("authorization_pending")
GRANTED = answer(json.dumps({"access_token": "opaque", "token_type": "Bearer"}).encode(), **JSON)


async def by_code(
    session: HttpSession, origin: str, told: list[tuple[str, str, float]] | None = None
) -> Token:
    metadata = replace(ENTRA, login_endpoint=origin)
    heard = told if told is not None else []
    return await acquire_token(session, metadata, CODE, "", lambda *prompt: heard.append(prompt))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of the protocol pass in tenths."""
    monkeypatch.setattr(device_code, "_SHORTEST_INTERVAL", 0.1)
    monkeypatch.setattr(device_code, "_SLOWER", 0.5)


def test_no_service_is_asked_more_often_than_once_a_second() -> None:
    assert device_code._SHORTEST_INTERVAL == 1
    assert device_code._SLOWER == 5  # RFC 8628 section 3.5


@pytest.mark.usefixtures("impatient")
async def test_waiting_leaves_no_trace_and_slows_down_when_asked_to() -> None:
    answers = login(PENDING, PENDING, said("slow_down"), GRANTED)
    told: list[tuple[str, str, float]] = []
    async with serving(answers) as web, opened() as session:
        started = perf_counter()
        token = await by_code(session, web.url, told)
        spent = perf_counter() - started
        polls = [each for each in web.asked if each.target == "/token"]
        exchanges = session.take_exchanges()
    assert token.value == "opaque"
    assert told == [("https://login.test/device", "ABCD-EFGH", 60.0)]
    assert len(polls) == 4
    assert spent >= 0.3 + 0.6  # longer from then on
    # Discovery, code and token; what said "not yet" is dropped.
    assert [each.method for each in exchanges] == ["GET", "POST", "POST"]
    form = parse_qs(polls[0].body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:device_code"]
    assert form["device_code"] == ["DEV-" + "x" * 30]


NO_ANSWER = Raw(b"", "close")


@pytest.mark.usefixtures("impatient")
async def test_one_lost_answer_does_not_end_the_wait_and_two_do() -> None:
    answers = login(PENDING, NO_ANSWER, PENDING, NO_ANSWER, GRANTED)
    async with serving(answers) as web, opened() as session:
        assert (await by_code(session, web.url)).value == "opaque"
    async with serving(login(PENDING, NO_ANSWER)) as web, opened() as session:
        with pytest.raises(TransportError) as caught:
            await by_code(session, web.url)
    assert caught.value.fault.kind is TransportFaultKind.HTTP_RESET


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("longest", [60.0, 1.0])
async def test_a_code_ends_by_itself_or_by_our_bound(longest: float) -> None:
    lifetime = 1 if longest > 1 else 10**12
    limits = Limits(device_code=longest)
    async with (
        serving(login(PENDING, expires_in=lifetime)) as web,
        opened(limits=limits) as session,
    ):
        started = perf_counter()
        with pytest.raises(IdentityError) as caught:
            await by_code(session, web.url)
    assert 1 <= perf_counter() - started < 5
    fault = caught.value.fault
    assert isinstance(fault, SignInFault)
    assert (fault.error, fault.status) == ("expired_token", None)
    assert fault.description == "nobody signed in with the code in 1 s"


@pytest.mark.parametrize(
    "broken",
    [
        {"device_code": None}, {"user_code": None}, {"verification_uri": None},
        {"device_code": 5}, {"user_code": ["A"]}, {"device_code": "\ud800abcd"},
    ],
)  # fmt: skip
async def test_what_is_no_code_is_a_refusal(broken: dict[str, Any]) -> None:
    async with serving(login(GRANTED, **broken)) as web, opened() as session:
        with pytest.raises(IdentityError) as caught:
            await by_code(session, web.url)
    assert isinstance(caught.value.fault, SignInFault)


async def test_what_a_person_is_shown_is_harmless() -> None:
    told: list[tuple[str, str, float]] = []
    hostile = {"user_code": "\x1b[2JAB\u202e" * 30, "verification_uri": "https://x/\n\x1b]8;;"}
    async with serving(login(GRANTED, **hostile)) as web, opened() as session:
        await by_code(session, web.url, told)
    (page, code, _) = told[0]
    assert page.isprintable()
    assert code.isprintable()
    assert len(code) <= 40


async def test_the_code_is_polled_for_at_the_authority_alone() -> None:
    def elsewhere(asked: Asked) -> Raw:
        raw = login(GRANTED)(asked)
        if asked.method == "GET":
            here = f"https://{asked.headers['host']}"
            found = json.loads(document(here)) | {
                "token_endpoint": "https://elsewhere.test/token",
                "device_authorization_endpoint": f"{here}/code",
            }
            return answer(json.dumps(found).encode(), **JSON)
        return raw

    async with serving(elsewhere) as web, opened() as session:
        with pytest.raises(IdentityError) as caught:
            await by_code(session, web.url)
    assert isinstance(caught.value.fault, SignInFault)
    assert caught.value.fault.problem is SignInProblem.FOREIGN_TOKEN_ENDPOINT


@settings(max_examples=draws(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(["device_code", "user_code", "verification_uri", "expires_in", "interval"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
        | st.sampled_from([float("inf"), "9" * 500, -1, "1e999"]),
    )
)  # fmt: skip
async def test_any_code_gives_a_token_or_a_fault(values: dict[str, Any]) -> None:
    limits = Limits(device_code=0.01)
    async with serving(login(GRANTED, **values)) as web, opened(limits=limits) as session:
        with suppress(IdentityError):
            token = await asyncio.wait_for(by_code(session, web.url), 10)
            assert token.value == "opaque"


async def test_a_wait_is_cancelled_at_once() -> None:
    async with serving(login(PENDING)) as web, opened() as session:
        waiting = asyncio.create_task(by_code(session, web.url))
        await asyncio.sleep(0.3)
        started = perf_counter()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert perf_counter() - started < 0.2


# A machine


async def of_machine(session: HttpSession, identity: Identity = MACHINE) -> Token:
    return await acquire_token(session, ENTRA, identity, prepare(identity, None), nobody_asked)


async def imds_fault(session: HttpSession, problem: ImdsProblem) -> ImdsFault:
    with pytest.raises(IdentityError) as caught:
        await of_machine(session)
    fault = caught.value.fault
    assert isinstance(fault, ImdsFault)
    assert fault.problem is problem
    return fault


async def test_the_service_is_asked_as_it_wants_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving_plain(GRANTED) as web, opened(proxy="http://127.0.0.1:9") as session:
        monkeypatch.setenv(VARIABLE, f"{web.url}/")
        token = await of_machine(session)
        await of_machine(session, replace(MACHINE, resource_id="/subscriptions/a b"))
    assert (token.value, token.facts.scope, token.facts.authority) == ("opaque", AUDIENCE, web.url)
    first, second = web.asked
    path, _, query = first.target.partition("?")
    assert path == "/metadata/identity/oauth2/token"
    assert parse_qs(query) == {"api-version": ["2018-02-01"], "resource": [AUDIENCE]}
    assert first.headers["metadata"] == "true"
    assert not {"authorization", "x-forwarded-for"} & set(first.headers)
    assert "mi_res_id=%2Fsubscriptions%2Fa+b" in second.target


async def test_retries_end_within_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = answer(b'{"error": "busy"}', status="503 Busy", **JSON)
    async with serving_plain(busy) as web, opened(limits=Limits(step=3.0)) as session:
        monkeypatch.setenv(VARIABLE, web.url)
        started = perf_counter()
        fault = await imds_fault(session, ImdsProblem.UNAVAILABLE)
    assert perf_counter() - started < 3
    assert fault.tries == len(web.asked) == 2  # 0.8 s apart, then 1.6 s would be too late


async def test_a_silent_service_ends_within_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(silent) as listener, opened(limits=Limits(step=0.5)) as session:
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{listener.port}")
        fault = await imds_fault(session, ImdsProblem.UNREACHABLE)
    assert fault.cause is not None
    assert fault.cause.kind is TransportFaultKind.STEP_TIMEOUT
    assert fault.cause.port == listener.port


@pytest.mark.parametrize(
    "place", ["nowhere", "ftp://127.0.0.1", "http://[", "http://a b", "//", "http://h:99999"]
)
async def test_a_place_that_cannot_be_is_unreachable(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, place)
    async with opened() as session:
        fault = await imds_fault(session, ImdsProblem.UNREACHABLE)
    assert fault.by_variable


@settings(max_examples=draws(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["access_token", "error", "error_description", "expires_in"]), inner
            )
        ),
        max_leaves=5,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["200 OK", "204 No", "301 Moved", "400 Bad", "401 No", "403 No"]),
)
async def test_any_answer_is_a_token_or_a_fault(body: bytes, status: str) -> None:
    said = answer(body, status=status) if not status.startswith("204") else answer(status=status)
    with pytest.MonkeyPatch.context() as patch:
        async with serving_plain(said) as web, opened() as session:
            patch.setenv(VARIABLE, web.url)
            with suppress(IdentityError):
                assert (await of_machine(session)).value


def test_a_machine_needs_no_msal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    assert prepare(MACHINE, None) == ""
    with pytest.raises(ImportError):
        prepare(CODE, None)
