"""The stamp's own clock, which a fault can set wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """UTC, off by `offset`."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def epoch(self) -> int:
        """Whole seconds since 1970, as tokens count (RFC 7519 section 2)."""
        return int(self.now().timestamp())
