"""Add checks to the history as they end, without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacktui.check.summary import CheckSummary
    from stacktui.check.target import CheckTarget

# Seconds to wait at the end: twice what another process that writes is waited for.
_PATIENCE = 1.0


class HistoryWriter:
    """Writes in a thread beside, those that wait in one transaction.

    `warn` is called in that thread, at most once with the same text.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._warned: set[str] = set()
        self._lock = Lock()
        self._waiting: list[tuple[CheckTarget, CheckSummary]] = []
        self._thread: Thread | None = None

    def add(self, target: CheckTarget, summary: CheckSummary) -> None:
        """Add a finished check. Returns at once."""
        with self._lock:
            self._waiting.append((target, summary))
            if self._thread is None:
                # A daemon: a file on a dead network share must not delay the end of the program.
                thread = Thread(target=self._write, daemon=True, name="stacktui-history")
                thread.start()
                self._thread = thread

    def close(self) -> None:
        """Wait until all is written, 1 s at most."""
        thread = self._thread
        if thread is not None:
            thread.join(_PATIENCE)
            if thread.is_alive():
                self._tell("not in the history: its file does not answer")

    def _write(self) -> None:
        while True:
            with self._lock:
                entries, self._waiting = self._waiting, []
                if not entries:
                    self._thread = None
                    return
            try:
                from stacktui.check.history import record

                self._tell(record(entries))
            except Exception as error:  # as where no descriptor is free
                from stacktui.config.error_file import describe_error

                self._tell(f"not in the history: {describe_error(error)}")

    def _tell(self, text: str) -> None:
        if text and text not in self._warned:
            self._warned.add(text)
            self._warn(text)
