"""An iteration in a thread: its items, its error, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from stacktui.transport.background import BackgroundIterator


async def numbers(count: int) -> AsyncGenerator[tuple[int, str], None]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number, threading.current_thread().name


async def test_items_come_in_order_from_another_thread() -> None:
    found = [item async for item in BackgroundIterator(numbers(50))]
    assert [number for number, _ in found] == list(range(50))
    assert {name for _, name in found} == {"stacktui-iterator"}


async def test_an_error_is_raised_after_the_items() -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise LookupError("here")

    async with aclosing(aiter(BackgroundIterator(failing()))) as items:
        assert await anext(items) == 1
        with pytest.raises(LookupError, match="here"):
            await anext(items)


async def test_leaving_early_cancels_it_and_its_loop_takes_calls_until_it_has_ended() -> None:
    called, cleaned = threading.Event(), threading.Event()

    async def endless() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    background = BackgroundIterator(endless())
    async with aclosing(aiter(background)) as items:
        assert await anext(items) == 1
        background.call(called.set)
        assert await asyncio.to_thread(called.wait, 5)
    assert await asyncio.to_thread(cleaned.wait, 5)
    for _ in range(100):
        if background._loop.is_closed():
            break
        await asyncio.sleep(0.02)
    background.call(lambda: None)
