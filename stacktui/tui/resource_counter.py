"""Count the resources of all groups for the dashboard, in the background and when asked to.

Light to import: the network stack is imported with the first check or reading.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.transport.background import BackgroundIterator, in_background
from stacktui.tui.arm_reader import now
from stacktui.tui.arm_task import ArmTask
from stacktui.tui.check_state import CheckState
from stacktui.tui.group_list import ResourceCounts

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.retry import Wait


class ResourceCounter(ArmTask[ResourceCounts]):
    """Counts for one environment at a time, page by page.

    One list of all resources is read, not one of each group.
    """

    group = "counts"

    def start(self, target: CheckTarget, subscriptions: frozenset[str]) -> None:
        """Count the resources of subscriptions anew; cancel what is being counted."""
        self.cancel()
        live = ResourceCounts(target, subscriptions, now())
        self._begin(live, self._run(live))

    def _cancelled(self, live: ResourceCounts) -> ResourceCounts:
        return replace(live, state=CheckState.CANCELLED, at=now())

    async def _run(self, live: ResourceCounts) -> None:
        loop = asyncio.get_running_loop()

        def waits(wait: Wait) -> None:
            # Called in the thread that reads.
            loop.call_soon_threadsafe(on_wait, wait)

        def on_wait(wait: Wait) -> None:
            nonlocal live
            live = self._publish(live, replace(live, waits_until=monotonic() + wait.seconds))

        state, error = CheckState.FINISHED, ""
        try:
            engine = await in_background(self._load)
            source = engine.counts(live.target, sorted(live.subscriptions), waits)
            async with aclosing(aiter(BackgroundIterator(source))) as pages:
                async for page in pages:
                    live = self._publish(live, live.with_page(page))
        except StacktuiError as caught:
            from stacktui.tui.arm_engine import words_of

            state, error = CheckState.BROKEN, words_of(caught)
        except Exception as caught:
            state, error = CheckState.BROKEN, describe_error(caught)
        self._publish(live, replace(live, state=state, error=error, at=now()))
