"""The wait that ARM asks for, on stderr: a countdown on a terminal, else one line."""

from __future__ import annotations

import asyncio
import sys
from math import ceil

from stacktui.cli.output import warn
from stacktui.resources.retry import Wait


class WaitLine:
    """Shows one wait at a time, as an ARM client's `on_wait`."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._task: asyncio.Task[None] | None = None

    def show(self, wait: Wait) -> None:
        if not self._on:
            warn(f"{_words(wait)}; going on in {wait.seconds:g} s")
            return
        self.clear()
        self._task = asyncio.get_running_loop().create_task(self._count_down(wait))

    def clear(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            _rewrite("")
        self._task = None

    async def _count_down(self, wait: Wait) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + wait.seconds
        while (left := ends - clock()) > 0:
            _rewrite(f"{_words(wait)}; going on in {ceil(left)} s"[:78])
            await asyncio.sleep(min(1.0, left))
        _rewrite("")


def _words(wait: Wait) -> str:
    why = "throttled by ARM" if wait.status == 429 else f"ARM answered {wait.status}"
    return f"{why} ({wait.what})"


def _rewrite(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()
