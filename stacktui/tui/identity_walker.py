"""Do the walk of a managed identity in the background; it waits for an answer before each write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.resources.identity_steps import WalkStepName, WalkStepResult, WalkStepStarted
from stacktui.transport.background import BackgroundIterator, in_background
from stacktui.tui.arm_task import ArmTask
from stacktui.tui.check_state import CheckState
from stacktui.tui.live_walk import LiveWalk, WalkPlace, WalkQuestion

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.retry import Wait
    from stacktui.transport.records import Exchange

Event = WalkStepStarted | WalkStepResult


class IdentityWalker(ArmTask[LiveWalk]):
    """Does one walk at a time."""

    group = "managed identity"

    def start(self, target: CheckTarget, place: WalkPlace) -> None:
        """Begin a walk; cancel the one under way."""
        self.cancel()
        live = LiveWalk(target, place, monotonic())
        self._begin(live, self._run(live))

    def _cancelled(self, live: LiveWalk) -> LiveWalk:
        return replace(live, state=CheckState.CANCELLED, question=None, wait=None)

    async def _run(self, live: LiveWalk) -> None:
        loop = asyncio.get_running_loop()

        def publish(**changes: Any) -> None:
            nonlocal live
            live = self._publish(live, replace(live, **changes))

        def tell(work: Callable[[], None]) -> None:
            # From the thread of the walk: all in their order.
            loop.call_soon_threadsafe(work)

        def on_event(event: Event) -> None:
            if isinstance(event, WalkStepStarted):
                publish(step=event.name, wait=None)
            else:
                publish(step=None, writing=False, wait=None, results=(*live.results, event))

        def on_wait(wait: Wait) -> None:
            tell(lambda: publish(wait=wait, waits_until=monotonic() + wait.seconds))

        def on_exchange(exchange: Exchange) -> None:
            tell(lambda: publish(wait=None, requests=(*live.requests, (live.step, exchange))))

        async def confirm(_: WalkStepName, words: str, lines: tuple[str, ...]) -> None:
            allowed = asyncio.Event()

            def allow() -> None:
                publish(question=None, writing=True)
                source.call(allowed.set)

            tell(lambda: publish(question=WalkQuestion(words, lines, allow)))
            await allowed.wait()

        async def events() -> AsyncGenerator[Event, None]:
            walk = engine.identity_walk(live.target, live.place, confirm, on_wait, on_exchange)
            async for event in walk:
                tell(partial(on_event, event))
                yield event

        try:
            engine = await in_background(self._load)
            source = BackgroundIterator(events())
            async with aclosing(aiter(source)) as walked:
                async for _ in walked:
                    pass
            publish(state=CheckState.FINISHED)
        except StacktuiError as error:
            from stacktui.tui.arm_engine import words_of

            publish(state=CheckState.BROKEN, error=words_of(error))
        except Exception as error:
            publish(state=CheckState.BROKEN, error=describe_error(error))
