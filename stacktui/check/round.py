"""Checks of many targets as one stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from time import monotonic

from stacktui.check.events import CheckBroken, CheckCancelled, CheckEvent, CheckFinished
from stacktui.check.local_facts import AzReader
from stacktui.check.runner import run_check
from stacktui.check.target import CheckTarget
from stacktui.config.error_file import describe_error
from stacktui.identities.model import TypedSecret
from stacktui.identities.token_source import TokenSource

CONCURRENCY = 16
# Seconds between two starts: checks that begin together stay together, and then the work of all on
# one step holds up the event loop.
_PAUSE = 0.006


class Round:
    """A round of checks, at most `concurrency` at once; iterate over it for all their events.

    Each check has its own limits, and no person to sign in. Of those that sign in with the same
    typed secret the first goes alone: a typo that it finds is sent by no other. One with an
    internal error ends with CheckBroken, a cancelled one with CheckCancelled; neither disturbs the
    others. The targets' environments have different names. `tokens` are those of the process, as in
    `run`. To leave the iteration early cancels what is not done.
    """

    def __init__(
        self,
        targets: Sequence[CheckTarget],
        concurrency: int = CONCURRENCY,
        tokens: TokenSource | None = None,
    ) -> None:
        self._targets = targets
        self._tokens = TokenSource() if tokens is None else tokens
        self._az = AzReader()
        self._slots = asyncio.Semaphore(concurrency)
        self._events: asyncio.Queue[CheckEvent] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._next = 0.0

    def cancel(self, environment: str | None = None) -> None:
        """Cancel the check of an environment, or without a name all; one that has ended stays."""
        for name, task in self._tasks.items():
            if environment in (None, name):
                task.cancel()

    async def __aiter__(self) -> AsyncIterator[CheckEvent]:
        firsts: dict[TypedSecret, asyncio.Task[None]] = {}
        for target in self._targets:
            name, secret = target.environment.name, target.identity and target.identity.secret
            first = firsts.get(secret) if isinstance(secret, TypedSecret) else None
            self._tasks[name] = task = asyncio.create_task(self._check(name, target, first))
            task.add_done_callback(partial(self._ended, name))
            if isinstance(secret, TypedSecret):
                firsts.setdefault(secret, task)
        left = len(self._tasks)
        try:
            while left:
                event = await self._events.get()
                yield event
                left -= isinstance(event, CheckFinished | CheckCancelled | CheckBroken)
        finally:
            self.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await self._az.aclose()

    async def _check(
        self, name: str, target: CheckTarget, after: asyncio.Task[None] | None
    ) -> None:
        try:
            if after is not None:
                await asyncio.wait([after])
            async with self._slots:
                await self._take_turn()
                tell = self._events.put_nowait
                await run_check(target, tell, attended=False, tokens=self._tokens, az=self._az)
        except Exception as error:
            broken = CheckBroken(describe_error(error), environment=name, at=monotonic())
            self._events.put_nowait(broken)

    async def _take_turn(self) -> None:
        now = monotonic()
        begins = max(now, self._next)
        self._next = begins + _PAUSE
        await asyncio.sleep(begins - now)

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        # Not in the task itself, as one that is cancelled before it begins runs nothing.
        if task.cancelled():
            self._events.put_nowait(CheckCancelled(environment=name, at=monotonic()))
