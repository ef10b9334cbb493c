"""Times and durations as text."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def utc_text(moment: datetime) -> str:
    """Return a time as RFC 3339 in UTC, in whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def moment_text(moment: datetime, now: datetime, zone: tzinfo | None = UTC) -> str:
    """Return the time of day, with the day before it where that is not the day of `now`."""
    at, today = moment.astimezone(zone), now.astimezone(zone)
    pattern = "%H:%M" if at.date() == today.date() else "%Y-%m-%d %H:%M"
    return f"{at:{pattern}}{' UTC' if zone is UTC else ''}"


def rough_duration(seconds: float) -> str:
    """`40 s`, `35 min`, `8 h` or `3 d`, rounded down to the largest unit of which there are two."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
