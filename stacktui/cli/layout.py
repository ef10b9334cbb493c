"""Lines of text that fit a terminal."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

from stacktui.cli.output import err, out

# The width of a small terminal, and of output that is not a terminal.
WIDTH = 80
# Longer lines are hard to read.
_WIDEST = 100
# What is before the text of a line: its indent, and a symbol or a number.
_START = re.compile(r" *(?:[-✓✗!–] |[0-9]+\. )?")


def columns() -> int | None:
    """Return the columns of the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def width() -> int:
    """Return the columns for one line: those of the terminal, within bounds."""
    return max(40, min(columns() or WIDTH, _WIDEST))


def wrapped(text: str, hang: int, *, cut: bool = False) -> list[str]:
    """Return the text as lines, all but the first indented.

    A word that is too long, such as a path, stays whole, so that it can be copied, unless `cut`.
    """
    lines = textwrap.wrap(
        text,
        width(),
        subsequent_indent=" " * hang,
        break_on_hyphens=False,
        break_long_words=cut,
    )
    return lines or [""]


def out_fitting(text: str, hang: int | None = None) -> None:
    """Write a line, which only a terminal has wrapped: what reads a pipe finds it whole.

    The lines below are indented to the text of the first, unless `hang` says how far.
    """
    if columns() is None:
        out(text)
    else:
        start = _START.match(text)
        out_wrapped(text, hang if hang is not None else start.end() if start else 0)


def out_wrapped(text: str, hang: int = 4) -> None:
    for line in wrapped(text, hang):
        out(line)


def err_wrapped(text: str, hang: int = 2) -> None:
    """Write a line to stderr; what reads a pipe finds it whole."""
    for line in wrapped(text, hang) if sys.stderr.isatty() else [text]:
        err(line)


def out_beside(first: str, second: str, hang: int = 2) -> None:
    """Write two texts on one line if there is room, else the second below the first."""
    if len(first) + 2 + len(second) <= width():
        out(f"{first}  {second}".rstrip())
    else:
        out(first)
        out_wrapped(" " * hang + second, hang + 2)
