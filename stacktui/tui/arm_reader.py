"""Read ARM for the dashboard in the background: one list of groups at a time, and other things.

Light to import: the network stack is imported with the first check or reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.transport.background import BackgroundIterator, in_background
from stacktui.tui.arm_task import ArmTask, now
from stacktui.tui.check_runner import collect_garbage_less, session_tokens
from stacktui.tui.check_state import CheckState
from stacktui.tui.group_list import GroupList

if TYPE_CHECKING:
    from textual.app import App

    from stacktui.check.target import CheckTarget
    from stacktui.resources.model import ResourceGroup
    from stacktui.resources.retry import Wait
    from stacktui.tui.arm_engine import ArmEngine

T = TypeVar("T")


def load_arm_engine() -> ArmEngine:
    """Import what reading ARM needs; blocks."""
    from stacktui.tui.arm_engine import ArmEngine

    collect_garbage_less()
    return ArmEngine(session_tokens())


class UnreadError(StacktuiError):
    """ARM was not read; the message says why.

    `unregistered` is the namespace of a resource provider that is to be registered first.
    """

    def __init__(self, message: str, unregistered: str = "") -> None:
        super().__init__(message)
        self.unregistered = unregistered


class ArmReader(ArmTask[GroupList]):
    """Reads one list of groups at a time, page by page."""

    group = "groups"

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], ArmEngine],
        on_state: Callable[[GroupList], None],
    ) -> None:
        super().__init__(app, load, on_state)
        # The last reading that broke after a page, and the groups that it had found.
        self._broken: tuple[GroupList, dict[str, ResourceGroup]] | None = None

    def start(self, target: CheckTarget, wanted: str | None, before: GroupList | None) -> None:
        """Read the groups of a subscription anew, or go on where the last reading broke.

        `wanted` is as in `GroupList`; None for what was shown `before`. Cancels what is being read.
        """
        self.cancel()
        found: dict[str, ResourceGroup] = {}
        broken, self._broken = self._broken, None
        if broken and broken[0] is before and before.target == target and wanted is None:
            found, note = broken[1], f"page {before.pages + 1} again, the {before.read:,} read stay"
            live = before.resumed(note, now())
        else:
            before = GroupList(target, now()) if before is None else replace(before, target=target)
            live = before.again(before.wanted if wanted is None else wanted, now())
        self._begin(live, self._run(live, found))

    def _cancelled(self, live: GroupList) -> GroupList:
        return replace(live, state=CheckState.CANCELLED, wait=None)

    async def _run(self, live: GroupList, found: dict[str, ResourceGroup]) -> None:
        loop, target = asyncio.get_running_loop(), live.target

        def waits(wait: Wait) -> None:
            # Called in the thread that reads.
            loop.call_soon_threadsafe(on_wait, wait)

        def on_wait(wait: Wait) -> None:
            nonlocal live
            live = self._publish(live, live.waiting(wait))

        async def read(engine: ArmEngine) -> None:
            nonlocal live
            # In a thread: a page of a thousand rows keeps an event loop too busy for keys.
            source = engine.groups(target, live.wanted, waits, live.next_link)
            async with aclosing(aiter(BackgroundIterator(source))) as pages:
                async for page in pages:
                    found.update(page.groups)
                    live = self._publish(live, live.with_page(page))

        try:
            engine = await in_background(self._load)
            try:
                await read(engine)
            except StacktuiError as error:
                from stacktui.tui.arm_engine import refused_link

                # A note stands until a page has come.
                if not live.note or not (why := refused_link(error)):
                    raise
                found.clear()
                note = f"the link to page {live.pages + 1} is refused, {why}: from page 1 again"
                again = replace(live.again(live.wanted, now()), note=note)
                live = self._publish(live, again)
                await read(engine)
            self._publish(live, live.ended(found, now()))
        except StacktuiError as error:
            from stacktui.tui.arm_engine import has_no_subscription, words_of

            help_ = await _help(engine, target) if has_no_subscription(error) else ()
            failed = self._publish(live, live.failed(words_of(error), now(), help_))
            if failed.next_link:
                self._broken = failed, found
        except Exception as error:
            self._publish(live, live.failed(describe_error(error), now()))

    async def read(self, work: Callable[[ArmEngine], Coroutine[Any, Any, T]]) -> T:
        """Return what `work` reads, in the background. Raises UnreadError."""
        try:
            engine = await in_background(self._load)
            return await in_background(lambda: asyncio.run(work(engine)))
        except StacktuiError as error:
            from stacktui.resources.providers import unregistered_in
            from stacktui.tui.arm_engine import words_of

            raise UnreadError(words_of(error), unregistered_in(error)) from None
        except Exception as error:
            raise UnreadError(describe_error(error)) from None


async def _help(engine: ArmEngine, target: CheckTarget) -> tuple[str, ...]:
    try:
        work = engine.help_without_subscription
        return await in_background(lambda: asyncio.run(work(target)))
    except StacktuiError:  # that there is no subscription is what matters
        return ()
