"""`Retry-After` headers: the wait, the time, and their text."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from stacktui.transport.records import Exchange

# Longer waits are ignored as mistakes.
_MAX_WAIT = timedelta(days=7)


def retry_after(exchange: Exchange | None) -> timedelta | None:
    """Return how long the response says to wait (RFC 9110 section 10.2.3: seconds, or a date)."""
    response = exchange.response if exchange else None
    said = (response.header("retry-after") or "").strip() if response else ""
    if response is None or not said:
        return None
    wait: timedelta | None = None
    with suppress(TypeError, ValueError, OverflowError):
        if said.isascii() and said.isdigit():
            wait = timedelta(seconds=int(said[:12]))
        else:
            # The date is by the server's clock.
            wait = _aware(parsedate_to_datetime(said)) - _aware(response.received)
            wait -= timedelta(seconds=response.clock_skew or 0)
    return wait if wait is not None and timedelta() <= wait <= _MAX_WAIT else None


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


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
