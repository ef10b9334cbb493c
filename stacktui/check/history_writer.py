"""Add checks to the history as they end, without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacktui.check.summary import CheckSummary
    from stacktui.check.target import CheckTarget

    Entry = tuple[CheckTarget, CheckSummary]

# Seconds to wait at the end: twice what another process that writes is waited for.
_PATIENCE = 1.0


class HistoryWriter:
    """Writes in a thread of its own, those that wait in one transaction.

    `warn` is called in that thread, at most once with the same text.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._warned: set[str] = set()
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._thread: Thread | None = None

    def add(self, target: CheckTarget, summary: CheckSummary) -> None:
        """Add a finished check. Returns at once."""
        self._queue.put((target, summary))
        if self._thread is None:
            # A daemon: a file on a dead network share must not delay the end of the program.
            self._thread = Thread(target=self._write, daemon=True, name="stacktui-history")
            self._thread.start()

    def close(self) -> None:
        """Wait until all is written, about 1 s at most."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._tell("not in the history: its file does not answer")
        self._thread = None

    def _write(self) -> None:
        from stacktui.check.history import record

        waiting: list[Entry | None] = []
        while None not in waiting:
            waiting = [self._queue.get()]
            while True:
                try:
                    waiting.append(self._queue.get_nowait())
                except Empty:
                    break
            if entries := [each for each in waiting if each is not None]:
                self._tell(record(entries))

    def _tell(self, text: str) -> None:
        if text and text not in self._warned:
            self._warned.add(text)
            self._warn(text)
