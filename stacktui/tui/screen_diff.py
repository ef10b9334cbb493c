"""Write only the cells that differ from those on the terminal, with the shortest SGR sequences.

Textual writes each changed region whole, and every run of text with all attributes and a reset.
Over a slow link that is most of what a check costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console
from textual import screen as textual_screen
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

# Textual paints at most 60 times a second, so that a key just after a paint waits up to 33 ms for
# its own. Here background work is coalesced (`coalescer.py`): what paints more often is keys.
textual_screen.UPDATE_PERIOD = 1 / 240  # type: ignore[misc]

# Equal cells between two changed ones that are written too: moving the cursor costs as much.
_GAP = 4
# The code that ends an attribute.
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28",
        "9": "29", "21": "24", "53": "55"}  # fmt: skip
# Attributes that a space shows too.
_ON_SPACES = {"4", "7", "9", "21", "53"}


class _Look(NamedTuple):
    """The SGR codes of a cell: attributes, foreground and background, empty for the default."""

    attributes: tuple[str, ...] = ()
    foreground: str = ""
    background: str = ""


class _Cell(NamedTuple):
    char: str
    look: _Look


_PLAIN = _Look()


class ScreenDiff:
    """What the terminal shows, as far as it is known; None for a cell that is not."""

    def __init__(self) -> None:
        self._lines: list[list[_Cell | None]] = []

    def changes(self, update: LayoutUpdate | ChopsUpdate, colours: ColorSystem) -> str:
        """Return what to write for `update`."""
        if isinstance(update, LayoutUpdate):
            width, height = update.region.size
            if len(self._lines) != height or any(len(each) != width for each in self._lines[:1]):
                self._lines = [[None] * width for _ in range(height)]
        written: list[str] = []
        look = _PLAIN
        for y, x, strip in _strips(update):
            if y < len(self._lines):
                look = self._write(y, x, strip, look, colours, written)
        if look is not _PLAIN:
            written.append("\x1b[m")
        return "".join(written)

    def _write(
        self, y: int, x: int, strip: Strip, look: _Look, colours: ColorSystem, written: list[str]
    ) -> _Look:
        """Append what to write for a strip at this place; return the look of its last cell."""
        known = self._lines[y]
        cells = _cells(strip, colours)
        if cells is None:
            # A terminal may have its own idea of how wide a wide character is.
            end = min(len(known), x + strip.cell_length)
            known[x:end] = [None] * (end - x)
            written += [f"\x1b[m\x1b[{y + 1};{x + 1}H", _whole(strip, colours)]
            return _PLAIN
        cells = cells[: len(known) - x]
        before = known[x : x + len(cells)]
        if before == cells:
            return look
        known[x : x + len(cells)] = cells
        at = -1
        for start, end in _runs(before, cells):
            if at < 0:
                written.append(f"\x1b[{y + 1};{x + start + 1}H")
            else:
                written.append(f"\x1b[{start - at}C")
            for cell in cells[start:end]:
                if cell.look is not look and not (cell.char == " " and _blank(look) is cell.look):
                    written.append(_transition(look, cell.look))
                    look = cell.look
                written.append(cell.char)
            at = end
        return look


class DiffApp(App[None]):
    """An application that writes the differences only."""

    _screen_diff: ScreenDiff | None = None
    _displayed: Screen[Any] | None = None

    def repaint(self) -> None:
        """Write the whole screen again."""
        self._screen_diff = None
        self.refresh(layout=True)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # A screen that opens or closes is written whole, so that it repairs the terminal where
        # another program has written to it.
        if self._screen_diff is None or screen is not self._displayed:
            self._screen_diff, self._displayed = ScreenDiff(), screen
        if isinstance(renderable, LayoutUpdate | ChopsUpdate):
            super()._display(
                screen, cast("RenderableType", _Changes(renderable, self._screen_diff))
            )
        else:
            super()._display(screen, renderable)


@dataclass(frozen=True, slots=True)
class _Changes(CompositorUpdate):
    """Computed when it is written, not before: what is never written is not on the terminal."""

    update: LayoutUpdate | ChopsUpdate
    diff: ScreenDiff

    def render_segments(self, console: Console) -> str:
        return self.diff.changes(self.update, console._color_system or ColorSystem.TRUECOLOR)


def _strips(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Yield the strips of an update, each with its line and its first column."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield y, x, strip
                x += strip.cell_length
        return
    for y, first, last in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x < last and end > first:
                yield y, x, chop if end <= last else chop.crop(0, last - x)


def _runs(before: list[_Cell | None], after: list[_Cell]) -> Iterator[tuple[int, int]]:
    """Yield the first position and the end of each run of cells to write."""
    start = end = -1
    for position, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            if start >= 0 and position - end > _GAP:
                yield start, end
                start = -1
            if start < 0:
                start = position
            end = position + 1
    if start >= 0:
        yield start, end


def _cells(strip: Strip, colours: ColorSystem) -> list[_Cell] | None:
    """Return the cells of a strip; None if a character is not one cell wide."""
    cells: list[_Cell] = []
    for text, style, _ in strip:
        if not _is_narrow(text):
            return None
        look = _look(Strip.render_ansi(style, colours)) if style else _PLAIN
        cells += _cells_of(text, look)
    return cells


@lru_cache(4096)
def _cells_of(text: str, look: _Look) -> list[_Cell]:
    blank = _Cell(" ", _blank(look))
    return [blank if char == " " else _Cell(char, look) for char in text]


@lru_cache(4096)
def _is_narrow(text: str) -> bool:
    if text.isascii():
        return text.isprintable()
    return all(get_character_cell_size(char) == 1 for char in text)


def _whole(strip: Strip, colours: ColorSystem) -> str:
    return "".join(
        Strip.render_style(style, text, colours) if style else text for text, style, _ in strip
    )


@lru_cache(1024)
def _look(ansi: str) -> _Look:
    """Return the look of SGR codes that follow a reset."""
    attributes: list[str] = []
    foreground = background = ""
    codes = iter(ansi.split(";") if ansi else ())
    for code in codes:
        if code in ("38", "48"):
            count = 3 if (kind := next(codes)) == "2" else 1
            colour = ";".join((code, kind, *(next(codes) for _ in range(count))))
        else:
            colour = code
        number = int(code)
        if 30 <= number <= 38 or 90 <= number <= 97:
            foreground = colour
        elif 40 <= number <= 48 or 100 <= number <= 107:
            background = colour
        elif number not in (39, 49):
            attributes.append(code)
    return _interned(tuple(attributes), foreground, background)


@lru_cache(1024)
def _interned(attributes: tuple[str, ...], foreground: str, background: str) -> _Look:
    """Return the one object of a look, so that looks are compared by identity."""
    look = _Look(attributes, foreground, background)
    return _PLAIN if look == _PLAIN else look


@lru_cache(1024)
def _blank(look: _Look) -> _Look:
    """Return the look of a space of this look: whatever is not seen of it left out."""
    if _ON_SPACES & set(look.attributes):
        return look
    return _interned((), "", look.background)


@lru_cache(1024)
def _transition(before: _Look, after: _Look) -> str:
    """Return the shortest sequence from one look to another."""
    if after == _PLAIN:
        return "\x1b[m"
    codes: list[str] = []
    attributes: Iterable[str] = before.attributes
    ended = {_OFF[each] for each in before.attributes if each not in after.attributes}
    if ended:
        codes += sorted(ended)
        attributes = [each for each in before.attributes if _OFF[each] not in ended]
    codes += [each for each in after.attributes if each not in attributes]
    if before.foreground != after.foreground:
        codes.append(after.foreground or "39")
    if before.background != after.background:
        codes.append(after.background or "49")
    return f"\x1b[{';'.join(codes)}m"
