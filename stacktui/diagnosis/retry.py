"""When to ask again: what a `Retry-After` says, as evidence and in words."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from stacktui.transport.records import Exchange

# A wait that somebody would sit out; more is a mistake or a joke.
_LONGEST = timedelta(days=7)


def retry_after(exchange: Exchange | None) -> timedelta | None:
    """How long the answer says to wait (RFC 9110 section 10.2.3: seconds, or a date)."""
    response = exchange.response if exchange else None
    said = (response.header("retry-after") or "").strip() if response else ""
    if response is None or not said:
        return None
    wait: timedelta | None = None
    with suppress(TypeError, ValueError, OverflowError):
        if said.isascii() and said.isdigit():
            wait = timedelta(seconds=int(said[:12]))
        else:
            # A date is by the server's clock: what is told is by ours.
            wait = _aware(parsedate_to_datetime(said)) - _aware(response.received)
            wait -= timedelta(seconds=response.clock_skew or 0)
    return wait if wait is not None and timedelta() <= wait <= _LONGEST else None


def retry_at(exchange: Exchange | None) -> datetime | None:
    """The time at which to ask again, by this machine's clock."""
    wait, response = retry_after(exchange), exchange.response if exchange else None
    if wait is None or response is None:
        return None
    with suppress(OverflowError):
        return response.received + wait
    return None


def retry_lines(exchange: Exchange | None) -> list[str]:
    """The header as it was sent, and the time that it means."""
    response = exchange.response if exchange else None
    said = response.header("retry-after") if response else None
    if not said:
        return []
    at = retry_at(exchange)
    return [f"Retry-After: {said}" + (f" (until {at:%Y-%m-%d %H:%M:%S} UTC)" if at else "")]


def retry_time(exchange: Exchange | None, otherwise: str) -> str:
    """`after 12:00:30 UTC` as the answer says, else `otherwise`."""
    at = retry_at(exchange)
    return f"after {at:%H:%M:%S} UTC" if at else otherwise


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
