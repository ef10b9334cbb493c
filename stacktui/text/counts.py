"""Numbers of things in a sentence."""

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """`1 day`, `3 days`; for nouns whose plural has an s."""
    return f"{number} {noun}" if abs(number) == 1 else f"{number} {noun}s"


def rough_duration(seconds: float) -> str:
    """`40 s`, `35 min`, `8 h` or `3 d`, rounded down to the largest unit of which there are two."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
