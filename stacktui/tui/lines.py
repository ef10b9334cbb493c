"""Lines of text with a meaning instead of colours: what every pane is made of.

A pane says *what* a piece of text is (`TextStyle`); the look says how that is drawn in the theme in
use. All text is data here, never markup, and is made harmless where it is laid out, so a name
from the network or the config can neither style nor move the screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from stacktui.text.sanitize import visible
from stacktui.tui.glyphs import Glyphs


class TextStyle(StrEnum):
    """What a piece of text is. Every state is told by a symbol and a word besides."""

    TEXT = "text"
    STRONG = "strong"
    DIM = "dim"
    ACCENT = "accent"
    KEY = "key"
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    FRAME = "frame"
    FOCUS = "focus"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one role; `chosen` when it is on the bar of a list."""

    text: str
    style: TextStyle = TextStyle.TEXT
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line. It wraps under column `indent`; `right` is kept at the right edge.

    `chosen` marks the line that the keys of a list act on. `cut` lines do not wrap: they end with
    an ellipsis where there is no more room.
    """

    spans: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    indent: int = 0
    chosen: bool = False
    cut: bool = False


BLANK = Line()
# A fingerprint or a URL: better broken at a colon or a slash than in the middle of a byte.
LONG_WORD = 24
# A blank between words; a hard one (U+00A0) holds what it stands between together.
_WORD = re.compile(r"[^ ]* +|[^ ]+")
_PART = re.compile(r"[^:/,;&. ]*[:/,;&.]* *")


def line(*parts: str | Span, right: Iterable[Span] = (), indent: int = 0) -> Line:
    """A line of spans; a bare string is plain text."""
    spans = tuple(part if isinstance(part, Span) else Span(part) for part in parts)
    return Line(spans, tuple(right), indent)


def label_value(label: str, *values: str | Span, width: int = 14) -> Line:
    """A labelled value, whose further lines stay under its first."""
    return line(Span(label.ljust(width), TextStyle.DIM), *values, indent=width)


def width_of(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


def sanitize_spans(spans: Iterable[Span], glyphs: Glyphs) -> tuple[Span, ...]:
    """The spans with nothing in them that a terminal could act on or cannot show."""
    return tuple(Span(glyphs.shown(visible(span.text)), span.style) for span in spans if span.text)


def fit(spans: Iterable[Span], width: int, glyphs: Glyphs) -> tuple[Span, ...]:
    """The spans cut to `width` cells; a cut is marked with an ellipsis."""
    spans = tuple(spans)
    if width_of(spans) <= width:
        return spans
    kept: list[Span] = []
    room = width - cell_len(glyphs.ellipsis)
    if room < 0:
        return ()
    for span in spans:
        size = cell_len(span.text)
        if size >= room:
            kept.append(
                Span(set_cell_size(span.text, room).rstrip(" ") + glyphs.ellipsis, span.style)
            )
            break
        kept.append(span)
        room -= size
    return tuple(kept)


def wrap(text: Line, width: int, glyphs: Glyphs) -> list[Line]:
    """The line as rows of at most `width` cells, broken between words where there are any."""
    spans = sanitize_spans(text.spans, glyphs)
    right = fit(sanitize_spans(text.right, glyphs), max(0, width - 2), glyphs)
    room = width - (width_of(right) + 1 if right else 0)
    if text.cut:
        spans = fit(spans, room, glyphs)
    if width_of(spans) <= room:
        return [Line(spans, right, text.indent, text.chosen)]
    indent = text.indent if text.indent <= width // 2 else 2
    rows = list(_rows(spans, room, width, indent))
    first = Line(rows[0], right, text.indent, text.chosen)
    return [first, *(Line((Span(" " * indent), *row)) for row in rows[1:])]


def _rows(
    spans: tuple[Span, ...], first: int, width: int, indent: int
) -> Iterator[tuple[Span, ...]]:
    row: list[Span] = []
    room, used, left = first, 0, indent
    for word in _words(spans):
        size = cell_len(word.text.rstrip(" "))
        # A label does not count as a beginning: a long value is broken beside it, not under it.
        if used > left and size > room - used:
            yield _ended(row)
            row, room, used, left = [], width - indent, 0, 0
        while size > room - used:
            head, word = _split(word, room - used)
            yield (*row, head)
            row, room, used, left = [], width - indent, 0, 0
            size = cell_len(word.text.rstrip(" "))
        row.append(word)
        used += cell_len(word.text)
    yield _ended(row)


def _ended(row: list[Span]) -> tuple[Span, ...]:
    """The row without blanks at its end, which may reach over the edge."""
    while row and not row[-1].text.strip(" "):
        row.pop()
    if row:
        row[-1] = Span(row[-1].text.rstrip(" "), row[-1].style)
    return tuple(row)


def _words(spans: tuple[Span, ...]) -> Iterator[Span]:
    """Each word with the blanks after it; long ones may also be broken after punctuation."""
    for span in spans:
        for word in _WORD.findall(span.text):
            parts = filter(None, _PART.findall(word)) if len(word) > LONG_WORD else (word,)
            yield from (Span(part, span.style) for part in parts)


def _split(word: Span, room: int) -> tuple[Span, Span]:
    """Break an unbreakable word at a cell. One character at least fits on an empty row."""
    used = 0
    index = len(word.text)
    for position, char in enumerate(word.text):
        used += cell_len(char)
        if used > room:
            index = position
            break
    if room >= 2:
        index = max(1, index)
    return Span(word.text[:index], word.style), Span(word.text[index:], word.style)
