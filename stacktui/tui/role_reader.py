"""Read what an identity may do in an environment, in the background and when asked to.

Light to import: the network stack is imported with the first check or reading.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.transport.background import BackgroundIterator, in_background
from stacktui.tui.arm_reader import now
from stacktui.tui.arm_task import ArmTask
from stacktui.tui.check_state import CheckState

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.retry import Wait
    from stacktui.resources.roles import Access


@dataclass(frozen=True, slots=True)
class RolesRead:
    """What the identity of a target may do there, by which roles; begun or ended `at`.

    `access` is None before it has been read, and where no subscription is visible; `error` says
    why nothing could be read. ARM is waited for until `time.monotonic()` is `waits_until`.
    """

    target: CheckTarget
    at: datetime
    state: CheckState = CheckState.RUNNING
    access: Access | None = None
    error: str = ""
    waits_until: float = 0.0

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING

    @property
    def seconds_to_wait(self) -> int:
        return max(0, round(self.waits_until - monotonic())) if self.running else 0


class RoleReader(ArmTask[RolesRead]):
    """Reads them for one target at a time."""

    group = "roles"

    def start(self, target: CheckTarget) -> None:
        """Read them anew; cancel what is being read."""
        self.cancel()
        live = RolesRead(target, now())
        self._begin(live, self._run(live))

    def _cancelled(self, live: RolesRead) -> RolesRead:
        return replace(live, state=CheckState.CANCELLED, at=now())

    async def _run(self, live: RolesRead) -> None:
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
            # Unlike a thread that only blocks, this can be cancelled.
            source = engine.access(live.target, waits)
            async with aclosing(aiter(BackgroundIterator(source))) as found:
                async for access in found:
                    live = self._publish(live, replace(live, access=access))
        except StacktuiError as caught:
            from stacktui.tui.arm_engine import has_no_subscription, words_of

            if not has_no_subscription(caught):
                state, error = CheckState.BROKEN, words_of(caught)
        except Exception as caught:
            state, error = CheckState.BROKEN, describe_error(caught)
        self._publish(live, replace(live, state=state, error=error, at=now()))
