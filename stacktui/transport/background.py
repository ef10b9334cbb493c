"""Blocking work in a thread that never delays the end of the program."""

from __future__ import annotations

import asyncio
from _thread import start_new_thread
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import suppress
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundIterator(Generic[T]):
    """Iterates over `source` in a daemon thread with an event loop of its own.

    What `source` does takes no time of the caller's loop. To leave the iteration early cancels it,
    and returns at once.
    """

    def __init__(self, source: AsyncIterable[T]) -> None:
        self._source = source
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None

    def call(self, work: Callable[[], None]) -> None:
        """Call `work` in the loop of `source`, unless that has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(work)

    async def __aiter__(self) -> AsyncGenerator[T, None]:
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue()

        def put(item: tuple[T] | BaseException | None) -> None:
            with suppress(RuntimeError):  # the loop is closed, so nobody waits for the item
                loop.call_soon_threadsafe(items.put_nowait, item)

        async def iterate() -> None:
            self._task = asyncio.current_task()
            async for item in self._source:
                put((item,))

        def run() -> None:
            end: BaseException | None = None
            try:
                with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                    runner.run(iterate())
            except BaseException as error:
                end = error
            put(end)

        Thread(target=run, daemon=True, name="stacktui-iterator").start()
        try:
            while (item := await items.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item[0]
        finally:
            self.call(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def in_background(work: Callable[[], T]) -> T:
    """Return the result of `work`, run in a daemon thread; cancelling returns at once.

    Not `asyncio.to_thread`: its threads are joined at exit, so that quitting would wait for them.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as caught:
            error = caught
        with suppress(RuntimeError):  # the loop is closed, so nobody waits for the result
            loop.call_soon_threadsafe(settle, result, error)

    # As a daemon thread, but without waiting until it runs, which would take longer than most work.
    start_new_thread(run, ())
    return await done
