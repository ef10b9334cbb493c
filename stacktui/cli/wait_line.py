"""The wait that ARM asks for, on stderr: a countdown on a terminal, else one line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from time import monotonic

from stacktui.cli.output import warn
from stacktui.cli.status_line import StatusLine
from stacktui.resources.retry import Wait

# Seconds after which a line that is the same is written again.
_AGAIN = 30.0


class WaitLine:
    """Shows one wait at a time, as an ARM client's `on_wait`.

    Off a terminal, the same wait again, as between two polls, is a line every half minute.
    """

    def __init__(self) -> None:
        self._line = StatusLine()
        self._task: asyncio.Task[None] | None = None
        self._paused = False
        self._said = "", 0.0
        self._text = ""  # of the countdown, as it was last; empty where nothing is waited for

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show no countdown for as long as rows are written, perhaps on the same terminal."""
        text = self._text
        if text:
            self._rewrite("")
        self._text, self._paused = text, True
        try:
            yield
        finally:
            self._paused = False
            if self._text:
                self._rewrite(self._text)

    def show(self, wait: Wait) -> None:
        if not self._line.on:
            said, now = _words(wait), monotonic()
            if said != self._said[0] or now - self._said[1] >= _AGAIN:
                self._said = said, now
                warn(f"{said}; going on in {wait.seconds:g} s")
            return
        self.clear()
        self._task = asyncio.get_running_loop().create_task(self._count_down(wait))

    def clear(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._text:
            self._rewrite("")

    async def _count_down(self, wait: Wait) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + wait.seconds
        while (left := ends - clock()) > 0:
            self._rewrite(self._line.fitted(_words(wait), f"; going on in {ceil(left)} s"))
            await asyncio.sleep(min(1.0, left))
        self._rewrite("")

    def _rewrite(self, text: str) -> None:
        self._text = text
        if not self._paused:
            self._line.show(text)


def _words(wait: Wait) -> str:
    if not wait.status:
        return wait.what
    whys = {429: "throttled by ARM", 202: "not ended yet"}
    return f"{whys.get(wait.status, f'ARM answered {wait.status}')} ({wait.what})"
