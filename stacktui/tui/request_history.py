"""The last requests of this session, for the screen that lists them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacktui.transport.records import Exchange

# Each keeps what was recorded of it, a few kilobytes at most.
MOST = 500


class RequestHistory:
    """The last `MOST` requests by their running number, oldest first. Any thread may add one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._requests: dict[str, Exchange] = {}

    def add(self, exchange: Exchange) -> None:
        with self._lock:
            self._count += 1
            self._requests[str(self._count)] = exchange
            if len(self._requests) > MOST:
                del self._requests[next(iter(self._requests))]

    def snapshot(self) -> dict[str, Exchange]:
        """Return those of now."""
        with self._lock:
            return dict(self._requests)
