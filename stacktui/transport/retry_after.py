"""How long a response says to wait."""

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


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
