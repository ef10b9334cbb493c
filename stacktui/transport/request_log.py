"""Logging the requests of this process: who is told of each.

One list for the whole process, as no request may be missing in a log, whoever makes it. While no
one logs, nothing is computed (`sent_request`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacktui.transport.records import Exchange  # would be imported before the first frame

Listener = Callable[["Exchange"], None]
_listeners: list[Listener] = []


@contextmanager
def logging_requests(listener: Listener) -> Iterator[None]:
    """Tell `listener` of each request that this process makes, when it has ended.

    It is called in the thread that made the request, and must neither block for long nor raise.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def is_logging() -> bool:
    return bool(_listeners)


def log(exchange: Exchange) -> None:
    """Tell of a request, unless none was sent or it began before anyone logged."""
    if exchange.sent is not None:
        for each in tuple(_listeners):
            each(exchange)
