"""Numbers of things in a sentence."""

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """`1 day`, `3 days`; for nouns whose plural has an s."""
    return f"{number} {noun}" if abs(number) == 1 else f"{number} {noun}s"
