"""A line of progress on stderr, which replaces itself."""

from __future__ import annotations

import shutil
import sys

from rich.cells import cell_len, set_cell_size


def cut(text: str, width: int) -> str:
    """Return the text in at most `width` cells; `…` stands for what does not fit."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


class StatusLine:
    """A line on stderr that replaces the one before; nothing where that is no terminal.

    Clear it before anything else is written.
    """

    def __init__(self) -> None:
        self.on = sys.stderr.isatty()
        self._shown = False

    def show(self, text: str) -> None:
        if self.on and (text or self._shown):
            # One cell less than the terminal has: a line that is wrapped cannot be taken back.
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{cut(text, width)}")
            sys.stderr.flush()
        self._shown = bool(text)

    def clear(self) -> None:
        self.show("")
