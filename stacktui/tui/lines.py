"""Styled lines of text, and wrapping them to a width. Every pane is made of these.

A span has a `TextStyle`, not a colour; `ScreenStyle` maps it to the current theme. Text is never
parsed as markup and is sanitized at layout, so that a name from the network or the config cannot
send escape sequences to the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from stacktui.text.sanitize import escape_control_chars
from stacktui.tui.glyphs import Glyphs


class TextStyle(StrEnum):
    """The meaning of a span. States also have a symbol and a word, so colour is never alone."""

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
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `chosen` when it is in the highlighted row of a list."""

    text: str
    style: TextStyle = TextStyle.TEXT
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line. Continuation rows start at column `indent`; `right` is right-aligned.

    `chosen` marks the highlighted row of a list. A `cut` line does not wrap: it is truncated with
    an ellipsis. Where there are several rows, `right` is beside the first, or if it is
    `right_last` beside the last one, else below it.
    """

    spans: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    indent: int = 0
    chosen: bool = False
    cut: bool = False
    right_last: bool = False


BLANK = Line()
# Longer words (fingerprints, URLs) may also break after punctuation, not in the middle of a byte.
LONG_WORD = 24
# Words break at spaces, but not at no-break spaces (U+00A0).
_WORD = re.compile(r"[^ ]* +|[^ ]+")
_PART = re.compile(r"[^:/,;&. ]*[:/,;&.]* *")


def line(*parts: str | Span, right: Iterable[Span] = (), indent: int = 0) -> Line:
    """Return a line of spans; a string becomes a span of plain text."""
    spans = tuple(part if isinstance(part, Span) else Span(part) for part in parts)
    return Line(spans, tuple(right), indent)


def label_value(label: str, *values: str | Span, width: int = 14) -> Line:
    """Return a labelled value; its continuation rows align with the value."""
    return line(Span(label.ljust(width), TextStyle.DIM), *values, indent=width)


def dotted(parts: Iterable[Span], glyphs: Glyphs) -> tuple[Span, ...]:
    """Return the parts with a dot between each two."""
    dot = Span(glyphs.dot, TextStyle.DIM)
    return tuple(span for part in parts for span in (dot, part))[1:]


def width_of(spans: Iterable[Span]) -> int:
    """Return the width in cells."""
    return sum(cell_len(span.text) for span in spans)


def sanitize_spans(spans: Iterable[Span], glyphs: Glyphs) -> tuple[Span, ...]:
    """Escape control characters and replace those that the terminal cannot show."""
    return tuple(
        Span(glyphs.adapt(escape_control_chars(span.text)), span.style)
        for span in spans
        if span.text
    )


def fit(spans: Iterable[Span], width: int, glyphs: Glyphs) -> tuple[Span, ...]:
    """Truncate the spans to `width` cells, with an ellipsis if anything was cut."""
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


MIN_WRAP_WIDTH = 4


def wrap(text: Line, width: int, glyphs: Glyphs) -> list[Line]:
    """Wrap a line to rows of at most `width` cells, between words where possible.

    To 4 cells at least, an indent and one wide character: what is drawn is cut to what fits.
    """
    width = max(width, MIN_WRAP_WIDTH)
    spans = sanitize_spans(text.spans, glyphs)
    right = fit(sanitize_spans(text.right, glyphs), max(0, width - 2), glyphs)
    room = width - (width_of(right) + 1 if right else 0)
    if text.cut:
        spans = fit(spans, room, glyphs)
    if width_of(spans) <= room:
        return [Line(spans, right, text.indent, text.chosen)]
    indent = text.indent if text.indent <= width // 2 else 2
    if text.right_last:
        *above, last = wrap(replace(text, right=(), right_last=False), width, glyphs)
        beside = width_of(last.spans) + 1 + width_of(right) <= width
        return [*above, *([replace(last, right=right)] if beside else [last, Line((), right)])]
    rows = list(_wrap_rows(spans, room, width, indent))
    first = Line(rows[0], right, text.indent, text.chosen)
    return [first, *(Line((Span(" " * indent), *row)) for row in rows[1:])]


def _wrap_rows(
    spans: tuple[Span, ...], first: int, width: int, indent: int
) -> Iterator[tuple[Span, ...]]:
    """Yield the rows; the first has `first` cells, the others `width` less `indent`."""
    row: list[Span] = []
    room, used, left = first, 0, indent
    for word in _words(spans):
        size = cell_len(word.text.rstrip(" "))
        # A row that holds only the label is not full: break a long value beside it, not below.
        if used > left and size > room - used:
            yield _stripped(row)
            row, room, used, left = [], width - indent, 0, 0
        while size > room - used:
            head, word = _split_word(word, room - used)
            yield (*row, head)
            row, room, used, left = [], width - indent, 0, 0
            size = cell_len(word.text.rstrip(" "))
        row.append(word)
        used += cell_len(word.text)
    yield _stripped(row)


def _stripped(row: list[Span]) -> tuple[Span, ...]:
    """Drop trailing spaces: they may exceed the width."""
    while row and not row[-1].text.strip(" "):
        row.pop()
    if row:
        row[-1] = Span(row[-1].text.rstrip(" "), row[-1].style)
    return tuple(row)


def _words(spans: tuple[Span, ...]) -> Iterator[Span]:
    """Yield each word with its trailing spaces; a long word in parts that end in punctuation."""
    for span in spans:
        for word in _WORD.findall(span.text):
            parts = filter(None, _PART.findall(word)) if len(word) > LONG_WORD else (word,)
            yield from (Span(part, span.style) for part in parts)


def _split_word(word: Span, room: int) -> tuple[Span, Span]:
    """Split a word at `room` cells; the head has at least one character if `room` >= 2."""
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
