"""Fetching metadata from real servers."""

from __future__ import annotations

import pytest

from stacktui.environments.discovery import fetch_metadata, fetch_other_shape
from stacktui.environments.metadata import (
    IdentityProvider,
    MetadataError,
    MetadataFault,
    MetadataProblem,
)
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportError, TransportFaultKind
from tests.environments.documents import AUDIENCE, cloud, encoded, object_shape
from tests.support.sessions import opened, opened_on
from tests.support.web import Asked, Raw, Web, answer, serving

REFUSED = encoded(
    {"error": {"code": "InvalidApiVersionParameter", "message": "The versions are '2019-10-01'."}}
)
GOOD = answer(encoded(object_shape()))


async def fault(web: Web) -> MetadataFault:
    async with opened() as session:
        with pytest.raises(MetadataError) as caught:
            await fetch_metadata(session, web.url)
    return caught.value.fault


async def test_an_entra_stamp_describes_itself(entra_stamp: RunningStamp) -> None:
    async with opened_on(entra_stamp) as session:
        found = await fetch_metadata(session, entra_stamp.arm_url)
        exchanges = session.take_exchanges()
    assert found.login_endpoint == entra_stamp.login_url.rstrip("/")
    assert found.audience == entra_stamp.identity_provider_audience
    assert found.identity_provider is IdentityProvider.ENTRA
    assert found.api_version == "2015-01-01"
    assert [each.url for each in exchanges] == [
        f"{entra_stamp.arm_url}/metadata/endpoints?api-version=2015-01-01"
    ]


async def test_an_adfs_stamp_describes_itself(adfs_stamp: RunningStamp) -> None:
    async with opened_on(adfs_stamp) as session:
        found = await fetch_metadata(session, adfs_stamp.arm_url)
    assert found.identity_provider is IdentityProvider.ADFS
    assert found.login_endpoint.endswith("/adfs")


async def test_no_token_is_sent() -> None:
    async with serving(GOOD) as web, opened() as session:
        await fetch_metadata(session, web.url)
    (asked,) = web.asked
    assert "authorization" not in asked.headers
    assert asked.target == "/metadata/endpoints?api-version=2015-01-01"


@pytest.mark.parametrize("code", ["InvalidApiVersionParameter", "NoRegisteredProviderFound"])
async def test_only_a_refused_version_leads_to_the_next(code: str) -> None:
    refused = encoded({"error": {"code": code, "message": "no"}})
    newer = answer(encoded([cloud()]))
    async with (
        serving(answer(refused, status="400 Bad Request"), newer) as web,
        opened() as session,
    ):
        found = await fetch_metadata(session, web.url)
    assert found.api_version == "2019-10-01"
    assert found.audience == AUDIENCE
    assert [each.target.partition("=")[2] for each in web.asked] == ["2015-01-01", "2019-10-01"]


async def test_versions_that_are_all_refused_are_named() -> None:
    async with serving(answer(REFUSED, status="400 Bad Request")) as web:
        found = await fault(web)
    assert found == MetadataFault(
        MetadataProblem.API_VERSION,
        "status 400, InvalidApiVersionParameter",
        400,
        code="InvalidApiVersionParameter",
        message="The versions are '2019-10-01'.",
        versions=("2015-01-01", "2019-10-01"),
    )


@pytest.mark.parametrize(
    ("status", "body", "code", "title"),
    [
        ("404 Not Found", b"<html><title>Portal</title>", "", "Portal"),
        (
            "500 Error",
            b'{"error":{"code":"InternalServerError","message":"m"}}',
            "InternalServerError",
            None,
        ),
        ("503 Unavailable", b"", "", None),
        ("401 Unauthorized", b"[]", "", None),
        ("400 Bad", b'{"error":{"code":"Other"}}', "Other", None),
        ("204 No Content", b"", "", None),
    ],
)
async def test_any_other_status_ends_the_search(
    status: str, body: bytes, code: str, title: str | None
) -> None:
    headers = {} if status.startswith("204") else {"Content_Type": "text/plain"}
    async with serving(answer(body, status=status, **headers)) as web:
        found = await fault(web)
    assert len(web.asked) == 1
    assert found.problem is MetadataProblem.STATUS
    assert (found.status, found.code, found.page_title) == (int(status[:3]), code, title)


async def test_a_redirect_is_reported_and_not_followed() -> None:
    location = "https://portal.contoso.example/?\x1b[2J"
    said = Raw(
        f"HTTP/1.1 302 Found\r\nLocation: {location[:32]}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    async with serving(said) as web:
        found = await fault(web)
    assert found.problem is MetadataProblem.REDIRECT
    assert found.status == 302
    assert found.location == "https://portal.contoso.example/?"
    assert len(web.asked) == 1


async def test_a_redirect_to_nowhere_is_one_too() -> None:
    async with serving(answer(status="301 Moved")) as web:
        found = await fault(web)
    assert (found.problem, found.detail) == (MetadataProblem.REDIRECT, "a redirect to nowhere")


async def test_an_answer_over_the_bound_is_not_read_on() -> None:
    async with serving(answer(b" " * 5000)) as web, opened(limits=Limits(metadata=4000)) as session:
        with pytest.raises(TransportError) as caught:
            await fetch_metadata(session, web.url)
    assert caught.value.fault.kind is TransportFaultKind.TOO_LARGE
    assert caught.value.fault.limit == 4000


async def test_a_captive_portal_is_html() -> None:
    page = answer(b"<!doctype html><html><title>Guest network</title></html>")
    async with serving(page) as web:
        found = await fault(web)
    assert (found.problem, found.page_title) == (MetadataProblem.HTML, "Guest network")


async def test_the_request_names_the_program() -> None:
    def agent(asked: Asked) -> Raw:
        assert asked.headers["user-agent"].startswith("stacktui/")
        assert "cookie" not in asked.headers
        return GOOD

    async with serving(agent) as web, opened() as session:
        await fetch_metadata(session, web.url)


async def other_shape(*script: Raw) -> tuple[bool, int]:
    """Whether the newer shape was read after the older, and how many requests were made."""
    async with serving(*script) as web, opened(limits=Limits(step=2.0)) as session:
        first = await fetch_metadata(session, web.url)
        newer = await fetch_other_shape(session, web.url, first, {})
        return newer is not None, len(web.asked)


LIST = answer(encoded([cloud()]))
OLD_BUILD = answer(REFUSED, status="400 Bad Request")


async def test_the_newer_shape_is_read_where_there_is_one() -> None:
    assert await other_shape(GOOD, LIST) == (True, 2)
    assert await other_shape(OLD_BUILD, LIST) == (False, 2)  # it is what was read


@pytest.mark.parametrize(
    "said", [OLD_BUILD, answer(b"<html>"), Raw(b"", "reset"), Raw(b"", "hang")], ids=str
)
async def test_that_there_is_no_newer_shape_is_no_fault(said: Raw) -> None:
    assert (await other_shape(GOOD, said))[0] is False
