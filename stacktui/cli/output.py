"""Lines of a command: results to stdout, talk to stderr, harmless whatever they hold."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from stacktui.text.sanitize import escape_control_chars

_ASCII = {"✓": "+", "✗": "x", "–": "-", "·": "|", "…": "...", "→": "->", "“": '"', "”": '"'}


def out(text: str = "") -> None:
    """Write one line to stdout, now; in ASCII where stdout can do no more."""
    text = escape_control_chars(text)
    if not (sys.stdout.encoding or "ascii").lower().startswith("utf"):
        text = "".join(_ASCII.get(char, char) for char in text)
        text = text.encode("ascii", "replace").decode()
    click.echo(text)
    sys.stdout.flush()


def err(text: str = "") -> None:
    """Write one line to stderr."""
    click.echo(escape_control_chars(text), err=True)


def day(moment: datetime | None) -> str:
    """A day, as people write it in tickets."""
    return f"{moment:%Y-%m-%d}" if moment is not None else "?"
