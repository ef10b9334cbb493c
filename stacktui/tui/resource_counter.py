"""Count the resources of all groups for the dashboard, in the background and when asked to.

Light to import: the network stack is imported with the first check or reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.transport.background import BackgroundIterator, in_background
from stacktui.tui.arm_reader import now
from stacktui.tui.check_state import CheckState
from stacktui.tui.group_list import ResourceCounts

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from stacktui.check.target import CheckTarget
    from stacktui.resources.retry import Wait
    from stacktui.tui.arm_engine import ArmEngine


class ResourceCounter:
    """Counts for one environment at a time; `on_counts` is called after every page.

    One list of all resources is read, not one of each group.
    """

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], ArmEngine],
        on_counts: Callable[[ResourceCounts], None],
    ) -> None:
        self._app = app
        self._load = load
        self._on_counts = on_counts
        self._live: ResourceCounts | None = None
        self._worker: Worker[None] | None = None

    @property
    def running(self) -> bool:
        return self._live is not None and self._live.running

    def start(self, target: CheckTarget, subscriptions: frozenset[str]) -> None:
        """Count the resources of subscriptions anew; cancel what is being counted."""
        self.cancel()
        self._live = live = ResourceCounts(target, subscriptions, now())
        self._on_counts(live)
        self._worker = self._app.run_worker(self._run(live), group="counts", exit_on_error=False)

    def cancel(self, environment: str | None = None) -> None:
        """Stop counting, if it is under way, of an environment or without a name of any."""
        live, worker = self._live, self._worker
        if live is None or environment not in (None, live.target.environment.name):
            return
        if live.running:
            self._publish(live, replace(live, state=CheckState.CANCELLED, at=now()))
        if worker is not None:
            worker.cancel()

    def _publish(self, before: ResourceCounts, after: ResourceCounts) -> ResourceCounts:
        """Publish the new state, unless another counting has begun since."""
        if self._live is before:
            self._live = after
            self._on_counts(after)
        return after

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
