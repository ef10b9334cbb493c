"""Reading subscriptions and resource groups, from a stamp and from stranger servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.model import Environment
from stacktui.identities.sign_in import acquire_token, prepare, read_secret
from stacktui.resources.client import ArmClient, only
from stacktui.resources.groups import resource_groups
from stacktui.resources.model import (
    ArmError,
    ArmFault,
    ArmProblem,
    ResourceGroup,
    ResourceGroupList,
    Subscription,
)
from stacktui.resources.subscriptions import first_enabled_subscription, subscriptions
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportError, TransportFaultKind
from stacktui.transport.session import HttpSession
from tests.identities.sign_ins import identity_of, nobody_asked
from tests.resources.conftest import TOKEN, Client
from tests.support.draws import draws
from tests.support.sessions import opened_on
from tests.support.web import Raw, answer, serving

REQUEST_ID, CORRELATION_ID = "11aa", "22bb"


def page(*rows: Any, link: object = None) -> Raw:
    document: dict[str, Any] = {"value": list(rows)}
    if link is not None:
        document["nextLink"] = link
    return answer(json.dumps(document).encode(), Content_Type="application/json")


def error(status: str, code: str = "", message: str = "m", **headers: str) -> Raw:
    document = {"error": {"code": code, "message": message}}
    ids = {"x_ms_request_id": REQUEST_ID, "x_ms_correlation_request_id": CORRELATION_ID}
    return answer(json.dumps(document).encode(), status=status, **ids, **headers)


def subscription(id_: str = "s1", state: str = "Enabled") -> dict[str, str]:
    return {"subscriptionId": id_, "displayName": f"name of {id_}", "state": state}


async def arm_of(stamp: RunningStamp, session: HttpSession, **values: Any) -> ArmClient:
    metadata = await fetch_metadata(session, stamp.arm_url)
    identity = identity_of(stamp)
    credential = prepare(identity, read_secret(identity, session.redactor))
    token = await acquire_token(session, metadata, identity, credential, nobody_asked)
    return ArmClient(session, Environment("A", stamp.arm_url, **values), only(token))


async def fault(client: Client, said: Raw, **options: Any) -> ArmFault:
    async with serving(said) as web, client(web, **options) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await resource_groups(arm, "s1")
    return caught.value.fault


async def test_a_stamps_groups_come_from_all_pages_in_order(entra_stamp: RunningStamp) -> None:
    async with opened_on(entra_stamp) as session:
        arm = await arm_of(entra_stamp, session)
        session.take_exchanges()
        found = await resource_groups(arm, entra_stamp.subscription_id)
        exchanges = session.take_exchanges()
    assert (len(found.groups), found.pages, len(exchanges)) == (7, 3, 3)
    assert found.subscription == entra_stamp.subscription_id
    assert len({group.name for group in found.groups}) == 7
    assert {group.location for group in found.groups} == {entra_stamp.location}
    assert {group.state for group in found.groups} == {"Succeeded"}
    assert all(each.connection and each.connection.reused for each in exchanges)
    # What a user has is no business of a report.
    assert all(each.response and each.response.excerpt == "" for each in exchanges)


async def test_a_stamps_subscriptions_are_read(entra_stamp: RunningStamp) -> None:
    async with opened_on(entra_stamp) as session:
        arm = await arm_of(entra_stamp, session)
        (found,) = await subscriptions(arm)
        assert await first_enabled_subscription(arm) == entra_stamp.subscription_id
    assert (found.id, found.enabled) == (entra_stamp.subscription_id, True)
    assert found.name


@pytest.mark.parametrize(
    ("profile", "resources", "of_subscriptions"),
    [
        ("2020-09-01-hybrid", "2019-10-01", "2016-06-01"),
        ("2018-03-01-hybrid", "2018-02-01", "2016-06-01"),
    ],
)
async def test_a_request_sends_the_token_and_the_profiles_version(
    client: Client, profile: str, resources: str, of_subscriptions: str
) -> None:
    async with serving(page()) as web, client(web, profile=profile) as (arm, session):
        await resource_groups(arm, "a-b.c_1")
        await subscriptions(arm)
        shown = repr(session.take_exchanges())
    groups, others = web.asked
    assert groups.target == f"/subscriptions/a-b.c_1/resourcegroups?api-version={resources}"
    assert others.target == f"/subscriptions?api-version={of_subscriptions}"
    assert groups.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in shown


async def test_groups_are_cleaned_and_incomplete_rows_kept(client: Client) -> None:
    rows = (
        {"name": "a\x1b[31m[b]", "location": "l\u202e", "properties": {"provisioningState": "S"}},
        {"name": "b", "properties": None},
        {"name": ["x"], "location": 5, "properties": "y"},
    )
    async with serving(page(*rows)) as web, client(web) as (arm, _):
        found = await resource_groups(arm, "s1")
    assert found == ResourceGroupList(
        "s1",
        (
            ResourceGroup(r"a\x1b[31m[b]", r"l\u202e", "S"),
            ResourceGroup("b", "", ""),
            ResourceGroup("", "", ""),
        ),
        pages=1,
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([subscription("s1")], "s1"),
        ([subscription("s1", "Disabled"), subscription("s2", "enabled"), subscription("s3")], "s2"),
    ],
)
async def test_the_first_enabled_subscription_counts(
    client: Client, rows: list[Any], expected: str
) -> None:
    async with serving(page(*rows)) as web, client(web) as (arm, _):
        assert await first_enabled_subscription(arm) == expected


UNUSABLE_IDS = (
    "",
    "..",
    ".",
    "../x",
    "a/b",
    "a\\b",
    "a b",
    "a?b",
    "a#b",
    "a%2f",
    "\x1b[2J",
    "x" * 81,
)


@pytest.mark.parametrize("id_", [*UNUSABLE_IDS, None, 5, ["s1"]])
async def test_a_subscription_without_a_usable_id_is_no_subscription(
    client: Client, id_: object
) -> None:
    rows = (subscription("s1"), {"subscriptionId": id_, "state": "Enabled"})
    async with serving(page(*rows)) as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await first_enabled_subscription(arm)
    assert (caught.value.fault.problem, caught.value.fault.status) == (ArmProblem.SHAPE, 200)
    assert caught.value.fault.message.startswith("no usable subscription id: ")
    assert caught.value.fault.message.isprintable()


@pytest.mark.parametrize("id_", UNUSABLE_IDS)
async def test_an_unusable_id_is_not_asked_for(client: Client, id_: str) -> None:
    async with serving(page()) as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await resource_groups(arm, id_)
    assert (caught.value.fault.problem, caught.value.fault.status) == (ArmProblem.SHAPE, 0)
    assert web.asked == []


@pytest.mark.parametrize("row", ["no row", None, 5, [], [{"name": "g"}], True])
async def test_a_row_that_is_no_object_is_never_ok(client: Client, row: object) -> None:
    found = await fault(client, page({"name": "g"}, row))
    assert (found.problem, found.message) == (ArmProblem.SHAPE, "a row that is no object")


@pytest.mark.parametrize(
    ("rows", "problem", "message"),
    [
        ([], ArmProblem.NO_SUBSCRIPTIONS, ""),
        (
            [subscription("s1", "Disabled"), subscription("s2", "Warned")],
            ArmProblem.NO_ENABLED_SUBSCRIPTION,
            "s1 (Disabled), s2 (Warned)",
        ),
    ],
)
async def test_no_usable_subscription_is_told(
    client: Client, rows: list[Any], problem: ArmProblem, message: str
) -> None:
    async with serving(page(*rows)) as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await first_enabled_subscription(arm)
    assert caught.value.fault == ArmFault(problem, "the subscriptions", 200, message=message)


def test_only_enabled_is_enabled() -> None:
    states = ("Enabled", "ENABLED", "Disabled", "Warned", "PastDue", "Deleted", "")
    assert [Subscription("i", "n", state).enabled for state in states] == [True, True] + [False] * 5


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("401 Unauthorized", "ExpiredAuthenticationToken"),
        ("403 Forbidden", "AuthorizationFailed"),
        ("404 Not Found", "SubscriptionNotFound"),
        ("409 Conflict", "MissingSubscriptionRegistration"),
        ("429 Too Many", "TooManyRequests"),
        ("500 Error", "InternalServerError"),
        ("503 Unavailable", "ServiceUnavailable"),
        ("302 Found", ""),
        ("204 No Content", ""),
    ],
)
async def test_a_refusal_keeps_code_message_and_ids(client: Client, status: str, code: str) -> None:
    said = error(status, code, "the\nmessage\x1b[2J")
    if status.startswith("204"):
        said = Raw(
            b"HTTP/1.1 204 No Content\r\nx-ms-request-id: 11aa\r\n"
            b"x-ms-correlation-request-id: 22bb\r\n\r\n"
        )
    assert await fault(client, said) == ArmFault(
        ArmProblem.REFUSED,
        "the resource groups",
        int(status[:3]),
        code=code,
        message="" if status.startswith("204") else r"the message\x1b[2J",
        request_id=REQUEST_ID,
        correlation_id=CORRELATION_ID,
    )


@pytest.mark.parametrize(
    "body", [b"<html>IIS</html>", b"", b"[]", b'{"error": "x"}', b'{"message": "x"}']
)
async def test_a_refusal_in_another_form_still_has_its_status(client: Client, body: bytes) -> None:
    found = await fault(client, answer(body, status="502 Bad Gateway"))
    assert (found.problem, found.status, found.code) == (ArmProblem.REFUSED, 502, "")


@pytest.mark.parametrize(
    ("body", "problem", "message"),
    [
        (b"", ArmProblem.NOT_JSON, "the answer is empty"),
        (b'{"value": [', ArmProblem.NOT_JSON, "Expecting value: character 11 of 11"),
        (b"<html>", ArmProblem.NOT_JSON, "Expecting value: character 0 of 6"),
        (b"[]", ArmProblem.SHAPE, "no object"),
        (b"null", ArmProblem.SHAPE, "no object"),
        (b"{}", ArmProblem.SHAPE, "no list of values"),
        (b'{"value": null}', ArmProblem.SHAPE, "no list of values"),
        (b'{"value": {"a": 1}}', ArmProblem.SHAPE, "no list of values"),
    ],
)
async def test_a_good_status_with_a_bad_body_is_named(
    client: Client, body: bytes, problem: ArmProblem, message: str
) -> None:
    found = await fault(client, answer(body, x_ms_request_id=REQUEST_ID))
    assert (found.problem, found.status, found.message) == (problem, 200, message)
    assert found.request_id == REQUEST_ID


async def test_a_page_over_the_bound_is_not_read_on(client: Client) -> None:
    async with serving(page("x" * 5000)) as web, client(web, limits=Limits(page=1000)) as (arm, _):
        with pytest.raises(TransportError) as caught:
            await resource_groups(arm, "s1")
    assert caught.value.fault.kind is TransportFaultKind.TOO_LARGE


@pytest.mark.parametrize(
    ("fault_id", "status", "code"),
    [
        ("arm-forbidden", 403, "AuthorizationFailed"),
        ("arm-throttled", 429, "TooManyRequests"),
        ("arm-server-error", 500, "InternalServerError"),
        ("arm-unavailable", 503, "ServiceUnavailable"),
    ],
)
async def test_what_a_stamp_refuses_is_named(fault_id: str, status: int, code: str) -> None:
    with run_in_thread(StampOptions(fault=fault_id)) as stamp:
        async with opened_on(stamp) as session:
            arm = await arm_of(stamp, session)
            with pytest.raises(ArmError) as caught:
                await resource_groups(arm, stamp.subscription_id)
            last = session.take_exchanges()[-1].response
    found = caught.value.fault
    assert (found.problem, found.status, found.code) == (ArmProblem.REFUSED, status, code)
    assert found.request_id
    assert found.correlation_id
    assert last is not None
    assert last.header("x-ms-request-id") == found.request_id


async def test_a_stamp_refuses_what_it_does_not_know(entra_stamp: RunningStamp) -> None:
    async with opened_on(entra_stamp) as session:
        arm = await arm_of(entra_stamp, session)
        with pytest.raises(ArmError) as unknown:
            await resource_groups(arm, "00000000-0000-0000-0000-000000000000")
        newer = await arm_of(entra_stamp, session, profile="latest")
        with pytest.raises(ArmError) as unsupported:
            await subscriptions(newer)
    assert unknown.value.fault.code == "SubscriptionNotFound"
    assert unsupported.value.fault.code == "InvalidApiVersionParameter"
    assert "2016-06-01" in unsupported.value.fault.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
_ROWS = st.dictionaries(
    st.sampled_from(["name", "location", "properties", "subscriptionId", "state"]), _JSON
)
_PAGES = st.fixed_dictionaries(
    {},
    optional={
        "value": st.lists(_ROWS | _JSON, max_size=3) | _JSON,
        "nextLink": _JSON,
        "error": _JSON,
    },
)


@settings(
    max_examples=draws(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(document=_PAGES | _JSON, status=st.sampled_from(["200 OK", "403 No", "500 Error"]))
def test_any_answer_gives_groups_or_a_fault(client: Client, document: Any, status: str) -> None:
    import asyncio

    async def check() -> None:
        said = answer(json.dumps(document).encode(), status=status)
        async with serving(said) as web, client(web) as (arm, _):
            try:
                found = await resource_groups(arm, "s1")
            except ArmError as caught:
                met = caught.fault
            else:
                assert status == "200 OK"
                assert all(group.name.isprintable() for group in found.groups)
                return
        assert met.message.isprintable()
        assert met.code.isprintable()

    asyncio.run(check())
