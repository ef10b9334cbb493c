"""Write a command's lines: results to stdout, messages to stderr, both sanitised."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from stacktui.text.sanitize import escape_control_chars

# From low to high.
SPARKS = "▁▂▃▄▅▆▇█"
_ASCII = {"✓": "+", "✗": "x", "–": "-", "·": "|", "…": "...", "→": "->", "“": '"', "”": '"'}
_ASCII |= dict(zip(SPARKS, "_.-:=+*#", strict=True))


def out(text: str = "") -> None:
    """Write one line to stdout and flush it; in ASCII if stdout cannot encode more."""
    text = escape_control_chars(text)
    if not (sys.stdout.encoding or "ascii").lower().startswith("utf"):
        text = "".join(_ASCII.get(char, char) for char in text)
        text = text.encode("ascii", "replace").decode()
    click.echo(text)
    sys.stdout.flush()


def encodable(text: str) -> str:
    """Return `text` with question marks for the characters that stdout cannot encode."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "replace").decode(encoding)


def err(text: str = "") -> None:
    """Write one line to stderr."""
    click.echo(escape_control_chars(text), err=True)


def warn(text: str) -> None:
    """Write one line about this run to stderr."""
    err(f"stacktui: {text}")


def day(moment: datetime | None) -> str:
    """Return a date as `2024-01-31`."""
    return f"{moment:%Y-%m-%d}" if moment is not None else "?"
