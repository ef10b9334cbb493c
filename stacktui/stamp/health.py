"""How the stamp itself is: whether it is being updated, and its alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class StampHealth:
    """`updating` is how long an update has been running, None where none is."""

    updating: timedelta | None = None
    alerts: tuple[tuple[str, str], ...] = ()
    """Title and severity of each active alert."""


HEALTHY = StampHealth()
