"""Answers that are made to be too much: bounded in rows, bytes and memory, and cancellable."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Callable
from time import perf_counter

import pytest

from stacktui.resources.groups import resource_groups
from stacktui.resources.model import ArmError, ArmFault, ArmProblem, ResourceGroupList
from stacktui.transport.limits import Limits
from tests.resources.conftest import Client
from tests.support.web import Asked, Raw, Web, answer, serving

MIB = 1024 * 1024
SIZE = 15 * MIB


async def fault_of(client: Client, web: Web) -> ArmFault:
    async with client(web) as (arm, _):
        with pytest.raises(ArmError) as caught:
            await resource_groups(arm, "s1")
    return caught.value.fault


def filled(row: bytes) -> bytes:
    """A page of as many of these rows as a page may have bytes."""
    return b'{"value":[' + b",".join([row] * (SIZE // (len(row) + 1))) + b"]}"


# Made when they are sent: 15 MiB each.
BOMBS: dict[str, Callable[[], bytes]] = {
    "rows": lambda: filled(b"{}"),
    "no rows": lambda: filled(b"0"),
    "one row": lambda: b'{"value":[{"tags":' + filled(b"{}") + b"}]}",
    "nested": lambda: b'{"value":[{"tags":' + filled(b"[[[[]]]]") + b"}]}",
    "keys": lambda: (
        b'{"value":[{' + b",".join(b'"%d":0' % number for number in range(SIZE // 12)) + b"}]}"
    ),
    "a name": lambda: b'{"value":[{"name":"' + b"x" * SIZE + b'"}]}',
    "a wide name": lambda: b'{"value":[{"name":"' + "\U0001f4a3".encode() * (SIZE // 4) + b'"}]}',
    "an escaped name": lambda: b'{"value":[{"name":"' + b"\\u001b" * (SIZE // 6) + b'"}]}',
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_page_of_many_bytes_takes_little_else(client: Client, bomb: str) -> None:
    slowest = 0.0

    async def pulse() -> None:
        nonlocal slowest
        while True:
            since = perf_counter()
            await asyncio.sleep(0.01)
            slowest = max(slowest, perf_counter() - since)

    async with serving(answer(BOMBS[bomb]())) as web, client(web) as (arm, _):
        beside = asyncio.create_task(pulse())
        tracemalloc.start()
        (outcome,) = await asyncio.gather(resource_groups(arm, "s1"), return_exceptions=True)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        beside.cancel()
    if isinstance(outcome, ArmError):
        assert outcome.fault.problem is ArmProblem.TOO_LARGE
    else:
        assert isinstance(outcome, ResourceGroupList)
        assert [len(group.name) for group in outcome.groups] == [200]
    assert most < 200 * MIB
    assert slowest < 5, "the bound of a step, and esc, must get a turn"


async def test_pages_without_end_are_bounded_in_rows(client: Client) -> None:
    rows = [{"name": "g"}] * 980

    def said(_asked: Asked) -> Raw:
        link = f"{web.url}/more?n={len(web.asked)}"
        return answer(json.dumps({"value": rows, "nextLink": link}).encode())

    async with serving(said) as web, client(web) as (arm, _):
        found = await resource_groups(arm, "s1")
        assert len(web.asked) == Limits().rows // 980 + 1
    assert (len(found.groups), found.cut) == (5000, "rows")


@pytest.mark.parametrize(
    ("rows", "more", "cut"),
    [(4, False, None), (5, False, None), (5, True, "rows"), (6, True, "rows")],
)
async def test_only_a_list_with_more_is_cut(
    client: Client, rows: int, more: bool, cut: str | None
) -> None:
    def said(_asked: Asked) -> Raw:
        link = {"nextLink": f"{web.url}/more"} if more else {}
        return answer(json.dumps({"value": [{"name": "g"}] * rows} | link).encode())

    async with serving(said) as web, client(web, limits=Limits(rows=5)) as (arm, _):
        found = await resource_groups(arm, "s1")
    assert (len(found.groups), found.cut, len(web.asked)) == (min(rows, 5), cut, 1)


async def test_pages_without_end_are_bounded_in_bytes(client: Client) -> None:
    def said(_asked: Asked) -> Raw:
        document = {"value": [], "x": "x" * SIZE, "nextLink": f"{web.url}/more?n={len(web.asked)}"}
        return answer(json.dumps(document).encode())

    async with serving(said) as web:
        found = await fault_of(client, web)
        assert len(web.asked) == 3
    assert (found.problem, found.message) == (ArmProblem.TOO_LARGE, "over 32 MiB in all")


async def test_as_much_as_a_real_stamp_has_is_read(client: Client) -> None:
    tags = {f"tag{number}": "a, [b], {c}" for number in range(15)}
    row = {"id": "/subscriptions/s1/resourceGroups/g", "name": "g", "location": "local",
           "tags": tags, "properties": {"provisioningState": "Succeeded"}}  # fmt: skip
    said = answer(json.dumps({"value": [row] * 980}).encode())
    async with serving(said) as web, client(web) as (arm, _):
        assert len((await resource_groups(arm, "s1")).groups) == 980


async def test_reading_rows_can_be_cancelled(client: Client) -> None:
    """Rows are cleaned in turns, so that the bound of a step ends even a page full of text."""
    said = answer(json.dumps({"value": [{"name": "x" * 3000}] * 4900}).encode())
    async with serving(said) as web, client(web, limits=Limits(pages=1)) as (arm, _):
        reading = asyncio.create_task(resource_groups(arm, "s1"))
        await web.arrived.wait()
        turns = 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        assert len(reading.result().groups) == 4900
    assert turns > 4900 // 100
