"""nextLink: followed on our own origin until it ends, and nowhere else."""

from __future__ import annotations

import asyncio
import json

import pytest

from stacktui.resources.groups import resource_groups
from stacktui.resources.model import ArmError, ArmFault, ArmProblem
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.transport.limits import Limits
from tests.resources.conftest import TOKEN, Client
from tests.resources.test_client import arm_of, page
from tests.support.listeners import LOOPBACK, listening
from tests.support.sessions import opened_on
from tests.support.web import Asked, Raw, Web, answer, serving

GROUP = {"name": "g"}


async def fault_of(client: Client, web: Web) -> ArmFault:
    async with client(web) as (arm, session):
        with pytest.raises(ArmError) as caught:
            await resource_groups(arm, "s1")
        assert TOKEN not in repr(session.take_exchanges())
    return caught.value.fault


async def test_many_pages_are_read_to_the_end(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        number = int(asked.target.partition("skip=")[2] or 0)
        link = f"{web.url}/x?skip={number + 1}" if number < 39 else None
        return page({"name": f"g{number}"}, link=link)

    async with serving(said) as web, client(web) as (arm, _):
        found = await resource_groups(arm, "s1")
    assert [group.name for group in found.groups] == [f"g{number}" for number in range(40)]
    assert found.pages == 40
    assert len(web.asked) == 40
    assert web.listener.connections == 1
    assert {asked.headers["authorization"] for asked in web.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("ending", [{}, {"nextLink": None}, {"nextLink": ""}])
async def test_no_link_is_the_end(client: Client, ending: dict[str, object]) -> None:
    said = answer(json.dumps({"value": [GROUP]} | ending).encode())
    async with serving(said) as web, client(web) as (arm, _):
        found = await resource_groups(arm, "s1")
    assert (len(found.groups), found.pages) == (1, 1)


@pytest.mark.parametrize("link", [5, 0, [], ["https://localhost/x"], {}, False, True])
async def test_a_link_that_is_no_text_is_no_end(client: Client, link: object) -> None:
    async with serving(page(GROUP, link=link)) as web:
        found = await fault_of(client, web)
    assert (found.problem, found.message) == (ArmProblem.SHAPE, "a nextLink that is no text")


async def test_a_page_may_be_empty(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        return page(GROUP) if "skip" in asked.target else page(link=f"{web.url}/x?skip=1")

    async with serving(said) as web, client(web) as (arm, _):
        found = await resource_groups(arm, "s1")
    assert (len(found.groups), found.pages) == (1, 2)


@pytest.mark.parametrize("length", [1, 2, 3])
async def test_a_loop_is_noticed_at_once(client: Client, length: int) -> None:
    def said(_asked: Asked) -> Raw:
        return page(GROUP, link=f"{web.url}/loop?n={len(web.asked) % length}")

    async with serving(said) as web:
        found = await fault_of(client, web)
    assert found.problem is ArmProblem.PAGING_LOOP
    assert found.message.startswith(f"{web.url}/loop?n=")
    assert len(web.asked) == length + 1


async def test_a_stamps_loop_is_noticed() -> None:
    with run_in_thread(StampOptions(fault="paging-loop")) as stamp:
        async with opened_on(stamp) as session:
            arm = await arm_of(stamp, session)
            with pytest.raises(ArmError) as caught:
                await resource_groups(arm, stamp.subscription_id)
    assert caught.value.fault.problem is ArmProblem.PAGING_LOOP


async def test_pages_without_end_are_bounded(client: Client) -> None:
    def said(_asked: Asked) -> Raw:
        return page(GROUP, link=f"{web.url}/more?n={len(web.asked)}")

    async with serving(said) as web, client(web, limits=Limits(pages=5)) as (arm, _):
        found = await resource_groups(arm, "s1")
    assert (found.cut, found.pages, len(found.groups)) == ("pages", 5, 5)
    assert len(web.asked) == 5


async def test_who_reads_to_the_end_gives_up_at_last(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacktui.resources.client.MAX_PAGES", 7)

    def said(_asked: Asked) -> Raw:
        return page(GROUP, link=f"{web.url}/more?n={len(web.asked)}")

    async with serving(said) as web, client(web, limits=Limits(pages=5)) as (arm, _):
        with pytest.raises(ArmError) as caught:
            async for _page in arm.pages("/subscriptions"):
                pass
    assert caught.value.fault.problem is ArmProblem.PAGING_LIMIT
    assert caught.value.fault.message == "over 7 pages"
    assert len(web.asked) == 7


async def test_a_link_to_another_server_gets_neither_request_nor_token(client: Client) -> None:
    async with serving(page()) as other:
        async with serving(page(GROUP, link=f"{other.url}/x?$skiptoken=1")) as web:
            found = await fault_of(client, web)
        assert other.asked == []
        assert other.listener.connections == 0
    assert found.problem is ArmProblem.PAGING_FOREIGN_HOST
    assert found.message == f"{other.url}/x?$skiptoken=1"
    assert TOKEN not in repr(found)


async def test_a_link_over_http_gets_nothing_even_on_our_own_host(client: Client) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))

    async with listening(listen) as plain:
        async with serving(page(link=f"http://localhost:{plain.port}/x")) as web:
            found = await fault_of(client, web)
        assert plain.connections == 0
    assert found.problem is ArmProblem.PAGING_FOREIGN_HOST
    assert heard == []


@pytest.mark.parametrize(
    "link",
    [
        "https://{loopback}:{port}/x",
        "https://localhost/x",
        "https://localhost:1/x",
        "https://localhost.evil.example:{port}/x",
        "https://evil.example/@localhost:{port}/",
        "https://localhost:{port}@evil.example/x",
        "https://evil.example#localhost:{port}",
        "https://evil.example\\@localhost:{port}.x/",
        "//localhost:{port}/x",
        "/subscriptions?skip=1",
        "subscriptions?skip=1",
        "javascript:alert(1)",
        "https://[localhost:{port}/x",
        "https://localhost:{port}x/y",
        "https://\u202elocalhost:{port}/",
        "\x1b[2J",
    ],
)
async def test_a_link_off_our_origin_is_not_followed(client: Client, link: str) -> None:
    def said(_asked: Asked) -> Raw:
        return page(GROUP, link=link.format(port=web.listener.port, loopback=LOOPBACK))

    async with serving(said) as web:
        found = await fault_of(client, web)
        assert len(web.asked) == 1
    assert found.problem is ArmProblem.PAGING_FOREIGN_HOST
    assert found.message.isprintable()


async def test_our_origin_may_be_written_otherwise(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        if "skip" in asked.target:
            return page(GROUP)
        return page(link=f"HTTPS://LOCALHOST:{web.listener.port}/x?skip=1#part")

    async with serving(said) as web, client(web) as (arm, _):
        found = await resource_groups(arm, "s1")
    assert found.pages == 2
    assert web.asked[1].target == "/x?skip=1"


async def test_a_user_in_a_link_does_not_change_who_we_are(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        if "skip" in asked.target:
            return page(GROUP)
        return page(link=f"https://evil:pw@localhost:{web.listener.port}/x?skip=1")

    async with serving(said) as web, client(web) as (arm, _):
        await resource_groups(arm, "s1")
    assert web.asked[1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_redirect_gets_no_second_request(client: Client) -> None:
    async with serving(page()) as other:
        said = answer(status="307 Temporary", Location=f"{other.url}/x")
        async with serving(said) as web:
            found = await fault_of(client, web)
        assert other.listener.connections == 0
    assert (found.problem, found.status) == (ArmProblem.REFUSED, 307)


async def test_a_refusal_on_a_later_page_is_a_refusal(client: Client) -> None:
    def said(asked: Asked) -> Raw:
        if "skip" in asked.target:
            return answer(b"{}", status="429 Slow")
        return page(GROUP, link=f"{web.url}/x?skip=1")

    async with serving(said) as web:
        found = await fault_of(client, web)
    assert (found.problem, found.status) == (ArmProblem.REFUSED, 429)


async def test_an_echo_of_the_token_does_not_show(client: Client) -> None:
    body = b'{"error": {"code": "%s", "message": "you sent %s"}}' % (TOKEN.encode(), TOKEN.encode())
    said = answer(body, status="401 No", Www_Authenticate=f"Bearer {TOKEN}", X_Ms_Request_Id=TOKEN)
    async with serving(said) as web:
        found = await fault_of(client, web)
    assert TOKEN not in repr(found)
    assert found.message == "you sent [redacted]"


async def test_a_link_to_go_on_with_must_be_our_own(client: Client) -> None:
    async with serving(page(GROUP)) as web, client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await anext(arm.pages("/subscriptions", start="https://localhost:1/x?skip=2"))
        assert caught.value.fault.problem is ArmProblem.PAGING_FOREIGN_HOST
        assert not web.asked
        rows = [each async for each in arm.pages("/subscriptions", start=f"{web.url}/x?skip=2")]
        assert [each.target for each in web.asked] == ["/x?skip=2"]
    assert len(rows) == 1
