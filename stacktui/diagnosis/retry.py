"""`Retry-After` headers: the time, and its text."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from stacktui.transport.records import Exchange
from stacktui.transport.retry_after import retry_after


def retry_at(exchange: Exchange | None) -> datetime | None:
    """Return when to ask again, by this machine's clock."""
    wait, response = retry_after(exchange), exchange.response if exchange else None
    if wait is None or response is None:
        return None
    with suppress(OverflowError):
        return response.received + wait
    return None


def retry_lines(exchange: Exchange | None) -> list[str]:
    """Return the header as it was sent, and the time that it means."""
    response = exchange.response if exchange else None
    said = response.header("retry-after") if response else None
    if not said:
        return []
    at = retry_at(exchange)
    return [f"Retry-After: {said}" + (f" (until {at:%Y-%m-%d %H:%M:%S} UTC)" if at else "")]


def retry_time(exchange: Exchange | None, otherwise: str) -> str:
    """Return `after 12:00:30 UTC` if the response has a `Retry-After`, else `otherwise`."""
    at = retry_at(exchange)
    return f"after {at:%H:%M:%S} UTC" if at else otherwise
