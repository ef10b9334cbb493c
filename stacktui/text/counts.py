"""Numbers of things, and lengths of time, in a sentence."""

from __future__ import annotations

from datetime import timedelta


def count_of(number: int, noun: str) -> str:
    """`1 day`, `3 days`; for nouns whose plural has an s."""
    return f"{number} {noun}" if abs(number) == 1 else f"{number} {noun}s"


def time_span(time: timedelta) -> str:
    """`3 days`, of less than a day `5 hours`, of less than that `less than an hour`; cut off."""
    if time.days:
        return count_of(time.days, "day")
    hours = time.seconds // 3600
    return count_of(hours, "hour") if hours else "less than an hour"
