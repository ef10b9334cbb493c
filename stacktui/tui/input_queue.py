"""Keys and pastes one at a time, in order, however fast they come.

Textual gives a key to the widget that has the focus at that moment, and what the key does happens
later: keys that arrive in one packet with one that opens a screen would go to the screen below it.
So the next key waits until the last one has been handled, and until a screen that it opened has
its focus.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget

# Seconds after which a key is taken for handled: an action may go on for longer.
_PATIENCE = 0.5


class InputQueue:
    """Gives each event of `app` to `handle` once the one before it has been handled."""

    def __init__(self, app: App[Any], handle: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[events.Event] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, event: events.Event) -> None:
        """Handle `event`, at once if nothing is under way."""
        if self._task is not None and not self._task.done():
            self._waiting.append(event)
            return
        screen, target = self._app.screen, self._app.focused or self._app.screen
        await self._handle(event)
        self._task = asyncio.create_task(self._rest(screen, target))

    async def _rest(self, screen: Screen[Any], target: Widget) -> None:
        await self._settle(screen, target)
        while self._waiting:
            screen, target = self._app.screen, self._app.focused or self._app.screen
            try:
                await self._handle(self._waiting.popleft())
            except Exception as error:
                self._app._handle_exception(error)
                return
            await self._settle(screen, target)

    async def _settle(self, screen: Screen[Any], target: Widget) -> None:
        """Wait until the event has been handled: it bubbles from the widget to the app."""
        for pump in target.ancestors_with_self:
            await _handled(pump)
        if self._app.screen is not screen:
            await _handled(self._app.screen)


async def _handled(pump: MessagePump) -> None:
    """Wait until a widget has handled the messages that it has now, for 0.5 s at most."""
    done = asyncio.Event()
    if pump.is_running and pump.call_later(done.set):
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _PATIENCE)
