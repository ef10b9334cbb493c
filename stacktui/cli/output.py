"""Write a command's lines: results to stdout, messages to stderr, both sanitised.

On a terminal, `out` colours the states in a line, which always are words too.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click

from stacktui.text.sanitize import escape_control_chars

# From low to high.
SPARKS = "▁▂▃▄▅▆▇█"
_ASCII = {"✓": "+", "✗": "x", "–": "-", "·": "|", "…": "...", "→": "->", "“": '"', "”": '"'}
_ASCII |= dict(zip(SPARKS, "_.-:=+*#", strict=True))

# The symbol of a state, with its word or the id of a fault: at the start of a line or a column.
_STATE = re.compile(
    r"(?P<before>^ *|  |· )(?P<state>(?P<symbol>[✓✗!–])(?: (?:[a-z]+(?:-[a-z]+)+|(?i:ok|pass|fail"
    r"|warning|critical|skipped|undecided|unusable|unexplained|not checked)\b))?)(?= |,|$)"
)
_STYLES: dict[str, dict[str, Any]] = {
    "✓": {"fg": "green"},
    "✗": {"fg": "red"},
    "!": {"fg": "yellow"},
    "–": {"dim": True},
}
_OUTCOME = re.compile(r"^(?:OK|FAULT)\b")
_FAULT_ID = re.compile(r"(?<![\w-])(?:[a-z]+(?:-[a-z]+)+|unexplained)(?= · (?:[\w ]+ · )?side: )")
_SIDE = re.compile(r"(?<= · side: )[^·]*[^· ]")


def out(text: str = "") -> None:
    """Write one line to stdout and flush it; in ASCII if stdout cannot encode more."""
    out_lines([text])


def out_lines(lines: Iterable[str]) -> None:
    """Write lines as `out` does, all at once."""
    text = "\n".join(map(_line, lines))
    if not (sys.stdout.encoding or "ascii").lower().startswith("utf"):
        text = "".join(_ASCII.get(char, char) for char in text)
        text = text.encode("ascii", "replace").decode()
    click.echo(text)
    sys.stdout.flush()


def _line(text: str) -> str:
    text = escape_control_chars(text)
    return _coloured(text) if _in_colour() else text


def _in_colour() -> bool:
    """Return whether stdout is a terminal on which colours are wanted (https://no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout.isatty()


def _coloured(line: str) -> str:
    """Return a line of text with its states, ids of faults and sides in colour."""
    line = _STATE.sub(
        lambda found: found["before"] + click.style(found["state"], **_STYLES[found["symbol"]]),
        line,
    )
    line = _OUTCOME.sub(
        lambda found: click.style(found[0], fg="green" if found[0] == "OK" else "red"), line
    )
    line = _FAULT_ID.sub(lambda found: click.style(found[0], bold=True), line)
    return _SIDE.sub(lambda found: click.style(found[0], fg="cyan"), line)


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
