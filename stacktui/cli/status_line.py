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

    def fitted(self, text: str, end: str) -> str:
        """Return a line of which `end` is shown whole."""
        return cut(text, max(1, _width() - cell_len(end))) + end

    def show(self, text: str) -> None:
        if self.on and (text or self._shown):
            sys.stderr.write(f"\r\x1b[K{cut(text, _width())}")
            sys.stderr.flush()
        self._shown = bool(text)

    def clear(self) -> None:
        self.show("")


def _width() -> int:
    """Return one cell less than the terminal has: a line that is wrapped cannot be taken back."""
    return shutil.get_terminal_size().columns - 1
