"""The stamp's clock, which a fault can offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """UTC plus `offset`."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def epoch(self) -> int:
        """Return whole seconds since 1970 (NumericDate, RFC 7519 section 2)."""
        return int(self.now().timestamp())
