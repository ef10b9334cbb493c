"""Background work on ARM, one piece at a time. Light to import, as all that uses it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.transport.background import BackgroundIterator, in_background
from stacktui.tui.check_state import CheckState
from stacktui.tui.task_state import TaskState

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.check.target import CheckTarget
    from stacktui.resources.retry import Wait
    from stacktui.tui.arm_engine import ArmEngine


def now() -> datetime:
    return datetime.now(UTC)


class LiveState(Protocol):
    """The state of the work on one target."""

    @property
    def target(self) -> CheckTarget: ...
    @property
    def running(self) -> bool: ...


L = TypeVar("L", bound=LiveState)
S = TypeVar("S", bound=TaskState)
T = TypeVar("T")
# What a StreamTask does: yields its results, and calls the function as a wait for ARM begins.
Stream = Callable[["ArmEngine", Callable[["Wait"], None]], AsyncIterable[T]]


class ArmTask(ABC, Generic[L]):
    """Does one piece of work at a time; `on_state` is called with every new state of it."""

    group: ClassVar[str]

    def __init__(
        self, app: App[Any], load: Callable[[], ArmEngine], on_state: Callable[[L], None]
    ) -> None:
        self._app = app
        self._load = load
        self._on_state = on_state
        self._live: L | None = None
        self._worker: Worker[None] | None = None

    @abstractmethod
    def _cancelled(self, live: L) -> L:
        """Return the state after a cancellation; what was read stays."""

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def cancel(self, environment: str | None = None) -> None:
        """Stop the work, if it is under way, of an environment or without a name of any.

        Returns at once.
        """
        live, worker = self._live, self._worker
        if live is None or environment not in (None, live.target.environment.name):
            return
        if live.running:
            self._publish(live, self._cancelled(live))
        if worker is not None:
            worker.cancel()

    def _begin(self, live: L, work: Coroutine[Any, Any, None]) -> None:
        self._live = live
        self._on_state(live)
        self._worker = self._app.run_worker(work, group=self.group, exit_on_error=False)

    def _publish(self, before: L, after: L) -> L:
        """Publish the new state, unless other work has begun since."""
        if self._live is before:
            self._live = after
            self._on_state(after)
        return after


class StreamTask(ArmTask[S]):
    """Does work that yields its results one by one, in a thread with an event loop of its own."""

    group = "arm"

    def begin(self, live: S, work: Stream[T], with_result: Callable[[S, T], S]) -> None:
        """Begin `work`, after cancelling what is under way; `with_result` adds to the state."""
        self.cancel()
        self._begin(live, self._run(live, work, with_result))

    def _cancelled(self, live: S) -> S:
        return replace(live, state=CheckState.CANCELLED, at=now())

    def _words_of(self, error: StacktuiError) -> str:
        """Return why the work ended early; empty where that is an end like any other."""
        from stacktui.tui.arm_engine import words_of

        return words_of(error)

    async def _run(self, live: S, work: Stream[T], with_result: Callable[[S, T], S]) -> None:
        loop = asyncio.get_running_loop()

        def waits(wait: Wait) -> None:
            # Called in the thread of the work.
            loop.call_soon_threadsafe(on_wait, wait)

        def on_wait(wait: Wait) -> None:
            nonlocal live
            live = self._publish(live, replace(live, waits_until=monotonic() + wait.seconds))

        state, error, cause = CheckState.FINISHED, "", None
        try:
            engine = await in_background(self._load)
            # Unlike a thread that only blocks, this can be cancelled.
            async with aclosing(aiter(BackgroundIterator(work(engine, waits)))) as results:
                async for result in results:
                    live = self._publish(live, with_result(live, result))
        except StacktuiError as caught:
            if error := self._words_of(caught):
                state, cause = CheckState.BROKEN, caught
        except Exception as caught:
            state, error = CheckState.BROKEN, describe_error(caught)
        self._publish(live, replace(live, state=state, error=error, caught=cause, at=now()))
