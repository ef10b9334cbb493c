"""Throttling, broken connections and refused tokens: what is sent again, and what never is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stacktui.environments.model import Environment
from stacktui.identities.token import Token, TokenFacts
from stacktui.resources.client import ArmClient, only
from stacktui.resources.model import ArmError, ArmProblem
from stacktui.resources.retry import NO_RETRY, RetryPolicy, Wait
from stacktui.transport.records import TransportError, TransportFaultKind
from tests.resources.test_client import error, page
from tests.support.sessions import opened
from tests.support.web import Asked, Raw, Web, answer, serving

GROUP = "/subscriptions/s1/resourceGroups/g"
GROUPS = "/subscriptions/s1/resourcegroups"
TOKEN = Token("t0ken-of-ours", TokenFacts("authority", "scope"))
RESET = Raw(b"", then="reset")
HALF = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", then="close")
THROTTLED = error("429 Slow", "TooManyRequests", Retry_After="0")


@asynccontextmanager
async def patient(
    web: Web, policy: RetryPolicy | None = None, get_token: Any = None
) -> AsyncIterator[tuple[ArmClient, list[Wait]]]:
    """A client that repeats and waits, and the waits that it showed."""
    waits: list[Wait] = []
    retry = policy or RetryPolicy(broken=2, longest_wait=5.0, on_wait=waits.append)
    async with opened() as session:
        yield ArmClient(session, Environment("A", web.url), get_token or only(TOKEN), retry), waits


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacktui.resources.client._PAUSE", 0.0)


def nth(numbers: set[int], broken: Raw, link: Callable[[int], str | None]) -> Callable[..., Raw]:
    """Give the requests of these numbers `broken`, and every other its page."""
    count = 0

    def said(asked: Asked) -> Raw:
        nonlocal count
        count += 1
        if count in numbers:
            return broken
        number = int(asked.target.partition("skip=")[2] or 0)
        return page({"name": f"g{number}"}, link=link(number))

    return said


@pytest.mark.parametrize("broken", [RESET, HALF, THROTTLED, Raw(b"", then="close")])
@pytest.mark.parametrize("numbers", [{1}, {5}, {10}, {3, 4}, {2, 5, 8}])
async def test_a_listing_goes_on_where_it_broke(broken: Raw, numbers: set[int]) -> None:
    def link(number: int) -> str | None:
        return f"{web.url}{GROUPS}?skip={number + 1}" if number < 9 else None

    async with serving(nth(numbers, broken, link)) as web, patient(web) as (arm, _):
        names = [row["name"] async for each in arm.pages(GROUPS) for row in each.rows]
    assert names == [f"g{number}" for number in range(10)]


@pytest.mark.parametrize("broken", [RESET, HALF])
async def test_what_stays_broken_is_said_after_what_was_read(broken: Raw) -> None:
    def link(number: int) -> str | None:
        return f"{web.url}{GROUPS}?skip={number + 1}"

    names: list[str] = []

    async def read(arm: ArmClient) -> None:
        async for each in arm.pages(GROUPS):
            names.extend(row["name"] for row in each.rows)

    async with serving(nth(set(range(4, 99)), broken, link)) as web, patient(web) as (arm, _):
        with pytest.raises(TransportError):
            await read(arm)
    assert names == ["g0", "g1", "g2"]
    assert len(web.asked) in (6, 7)  # an idle connection that was reset is tried anew at once


@pytest.mark.parametrize(
    ("method", "requests"), [("GET", 3), ("PUT", 3), ("DELETE", 3), ("POST", 1), ("PATCH", 1)]
)
async def test_only_the_same_write_is_repeated(method: str, requests: int) -> None:
    async with serving(RESET) as web, patient(web) as (arm, _):
        with pytest.raises(TransportError) as caught:
            await arm.request(method, GROUP, body={"tags": {}})
    assert caught.value.fault.kind is TransportFaultKind.HTTP_RESET
    assert len(web.asked) == requests
    assert {asked.body for asked in web.asked} == {b'{"tags": {}}'}


async def test_a_delete_that_was_carried_out_is_done() -> None:
    gone = error("404 Not Found", "ResourceGroupNotFound")
    async with serving(RESET, gone) as web, patient(web) as (arm, _):
        assert (await arm.request("DELETE", GROUP)).status == 404
    async with serving(gone) as web, patient(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await arm.request("DELETE", GROUP)
    assert caught.value.fault.code == "ResourceGroupNotFound"


async def test_a_wait_is_shown_and_kept() -> None:
    throttled = error("429 Slow", "TooManyRequests", Retry_After="1")
    async with serving(throttled, page()) as web, patient(web) as (arm, waits):
        found = [each async for each in arm.pages(GROUPS, what="the groups")]
    assert (len(found), waits) == (1, [Wait("the groups", 429, 1.0)])


@pytest.mark.parametrize(
    ("said", "method", "requests"),
    [
        (error("429 Slow", Retry_After="0"), "POST", 2),
        (error("503 No", Retry_After="0"), "GET", 2),
        (error("503 No", Retry_After="0"), "POST", 1),
        (error("429 Slow"), "GET", 1),
        (error("429 Slow", Retry_After="6"), "GET", 1),
        (error("500 No", Retry_After="0"), "GET", 1),
    ],
)
async def test_what_is_waited_for(said: Raw, method: str, requests: int) -> None:
    async with serving(said, answer(b"{}")) as web, patient(web) as (arm, waits):
        if requests == 1:
            with pytest.raises(ArmError):
                await arm.request(method, GROUP)
        else:
            await arm.request(method, GROUP)
    assert (len(web.asked), len(waits)) == (requests, requests - 1)


async def test_all_waits_of_a_request_are_bounded() -> None:
    said = error("429 Slow", "TooManyRequests", Retry_After="1")
    policy = RetryPolicy(longest_wait=1.5)
    async with serving(said) as web, patient(web, policy) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await arm.request("GET", GROUP)
    assert (caught.value.fault.code, len(web.asked)) == ("TooManyRequests", 2)


@pytest.mark.parametrize("said", [RESET, HALF, THROTTLED, error("401 No", "Expired")])
async def test_a_check_neither_repeats_nor_waits(said: Raw) -> None:
    async with serving(said) as web, patient(web, NO_RETRY) as (arm, _):
        with pytest.raises((ArmError, TransportError)):
            await arm.request("GET", GROUP)
    assert len(web.asked) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
async def test_a_token_that_is_refused_in_the_middle_is_renewed_once(method: str) -> None:
    fresh = Token("another-t0ken", TokenFacts("authority", "scope"))
    asked_for: list[Token | None] = []

    async def get_token(refused: Token | None) -> Token:
        asked_for.append(refused)
        return fresh if refused else TOKEN

    expired = error("401 Unauthorized", "ExpiredAuthenticationToken")
    async with (
        serving(expired, answer(b"{}"), expired) as web,
        patient(web, get_token=get_token) as (arm, _),
    ):
        await arm.request(method, GROUP)
        with pytest.raises(ArmError) as caught:
            await arm.request(method, GROUP)
    sent = [asked.headers["authorization"] for asked in web.asked]
    assert sent == [f"Bearer {each.value}" for each in (TOKEN, fresh, TOKEN, fresh)]
    assert asked_for == [None, TOKEN, None, TOKEN]
    assert (caught.value.fault.problem, caught.value.fault.status) == (ArmProblem.REFUSED, 401)


async def test_a_request_keeps_ids_status_and_body() -> None:
    said = answer(
        b'{"name":"g"}', status="201 Created", x_ms_request_id="11aa", x_ms_other="no business"
    )
    async with serving(said) as web, patient(web) as (arm, _):
        found = await arm.request("PUT", f"{GROUP}?x=1", body={"location": "local"})
    assert (found.status, found.document) == (201, {"name": "g"})
    assert found.exchange.response is not None
    assert found.exchange.response.header("x-ms-request-id") == "11aa"
    (asked,) = web.asked
    assert asked.target == f"{GROUP}?x=1&api-version=2019-10-01"
    assert (asked.body, asked.headers["content-type"]) == (
        b'{"location": "local"}',
        "application/json",
    )
    assert TOKEN.value not in repr(found)


@pytest.mark.parametrize("path", ["", "subscriptions", "//evil.example/x", "/a/../b", "/a#b", "/."])
async def test_a_path_that_leads_elsewhere_is_not_asked_for(path: str) -> None:
    async with serving(answer(b"{}")) as web, patient(web) as (arm, _):
        if path.startswith("//"):  # a path of ours all the same
            await arm.request("GET", path)
            assert web.asked[0].target.startswith("//evil.example/x?")
            return
        with pytest.raises(ArmError) as caught:
            await arm.request("GET", path)
    assert (caught.value.fault.problem, caught.value.fault.status) == (ArmProblem.SHAPE, 0)
    assert web.asked == []


async def test_a_type_without_a_version_has_the_newest_that_arm_lists() -> None:
    def said(asked: Asked) -> Raw:
        if "Contoso.Web?" not in asked.target:
            return page()
        return answer(
            b'{"resourceTypes":[{"resourceType":"sites","apiVersions":["2016-08-01","2018-02-01"]}]}'
        )

    async with serving(said) as web, patient(web) as (arm, _):
        for _ in range(2):
            await arm.request("GET", "/subscriptions/s1/providers/Contoso.Web/sites")
        with pytest.raises(ArmError) as caught:
            await arm.request("GET", "/subscriptions/s1/providers/Contoso.Web/slots")
    assert [asked.target for asked in web.asked] == [
        "/subscriptions/s1/providers/Contoso.Web?api-version=2019-10-01",
        "/subscriptions/s1/providers/Contoso.Web/sites?api-version=2018-02-01",
        "/subscriptions/s1/providers/Contoso.Web/sites?api-version=2018-02-01",
    ]
    assert caught.value.fault.problem is ArmProblem.NO_API_VERSION
