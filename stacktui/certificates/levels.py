"""The severity of what is found in certificates. Light to import: the dashboard starts with it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Level(StrEnum):
    """The severity of a rule's result."""

    SKIPPED = "skipped"
    PASS = "pass"  # noqa: S105
    WARNING = "warning"
    CRITICAL = "critical"
    FAIL = "fail"


_SEVERITY = tuple(Level)

# With fewer whole days left than this: the checker rejects under 7 days, the portal is critical
# under 30 and warns under 90.
FAIL_DAYS = 7
CRITICAL_DAYS = 30
WARNING_DAYS = 90
LIMITS = (
    (FAIL_DAYS, Level.FAIL),
    (CRITICAL_DAYS, Level.CRITICAL),
    (WARNING_DAYS, Level.WARNING),
)


def worst_level(levels: Sequence[Level]) -> Level:
    """Return the most severe level; SKIPPED for none."""
    return max(levels, key=_SEVERITY.index, default=Level.SKIPPED)


def level_of(days_left: int) -> Level:
    """Return the level of a certificate with this many whole days left."""
    return next((level for days, level in LIMITS if days_left < days), Level.PASS)
