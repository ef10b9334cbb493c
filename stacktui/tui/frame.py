"""Draw a panel (frame, title, rows) as lines, and lines as Textual strips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, fit, sanitize_spans, width_of
from stacktui.tui.screen_style import ScreenStyle


class Border(Enum):
    """How much of a frame a panel has: all of it, a rule with the title above, or none.

    The value is how many columns and rows of the panel it takes, margins included.
    """

    BOX = (4, 2)
    RULE = (2, 1)
    NONE = (2, 0)

    @property
    def columns(self) -> int:
        return self.value[0]

    @property
    def rows(self) -> int:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class PanelContent:
    """What a panel shows.

    `title` and `summary` are at the left and right of the top edge, `note` is in the bottom edge.
    `rows` are already wrapped to the width inside the frame; rows that do not fit are dropped.
    """

    title: tuple[Span, ...]
    summary: tuple[Span, ...]
    rows: Sequence[Line]
    note: tuple[Span, ...] = ()
    focused: bool = False


def draw(
    content: PanelContent, width: int, height: int, glyphs: Glyphs, border: Border = Border.BOX
) -> list[Line]:
    """Draw exactly `height` lines of exactly `width` cells; a box of one line is its title alone.

    Without a bottom edge the note is at the end of the last line.
    """
    style = TextStyle.FOCUS if content.focused else TextStyle.FRAME
    nw, ne, se, sw, across, down = tuple(glyphs.frame)
    title, summary = content.title, content.summary
    if border is Border.BOX:
        if height == 1:
            return [_edge(across, " ", title, summary, width, style, glyphs)]
        top = _edge(nw + across, across + ne, title, summary, width, style, glyphs)
        bottom = _edge(sw + across, across + se, (), content.note, width, style, glyphs)
        return [top, *_rows(content.rows, height - 2, down, width, style), bottom]
    above = []
    if border is Border.RULE:
        above.append(_edge(across, across, title, summary, width, style, glyphs))
    rows = list(content.rows[: height - len(above)])
    if content.note and height > len(above):
        rows += [Line()] * (height - len(above) - len(rows))
        rows[-1] = _with_note(rows[-1], sanitize_spans(content.note, glyphs), width - 2, glyphs)
    return [*above, *_rows(rows, height - len(above), "", width, style)]


def _with_note(text: Line, note: tuple[Span, ...], width: int, glyphs: Glyphs) -> Line:
    note = fit(note, width, glyphs)
    spans = fit(text.spans, width - width_of(note) - 2, glyphs)
    return Line(spans, note, text.indent, text.chosen)


def _rows(rows: Sequence[Line], height: int, edge: str, width: int, style: TextStyle) -> list[Line]:
    drawn = [_row(text, edge, width, style) for text in rows[:height]]
    empty = Line((Span(edge + " " * (width - 2 * len(edge)) + edge, style),))
    return drawn + [empty] * (height - len(drawn))


def _edge(
    start: str,
    end: str,
    title: tuple[Span, ...],
    right: tuple[Span, ...],
    width: int,
    style: TextStyle,
    glyphs: Glyphs,
) -> Line:
    across = glyphs.frame[4]
    room = width - len(start) - len(end)
    title = fit(sanitize_spans(title, glyphs), room - 3, glyphs)
    left = (Span(start + " ", style), *title, Span(" ", style)) if title else (Span(start, style),)
    rest = width - width_of(left) - len(end)
    right = sanitize_spans(right, glyphs)
    # Leave the summary out if fewer than 8 of its cells would be left.
    right = fit(right, rest - 3, glyphs) if rest - 3 >= min(8, width_of(right)) else ()
    if right:
        rest -= width_of(right) + 2
        tail = (Span(across * rest + " ", style), *right, Span(" " + end, style))
    else:
        tail = (Span(across * rest + end, style),)
    return Line((*left, *tail))


def summary_width(title: tuple[Span, ...], width: int, *, corners: bool) -> int:
    """Return how many cells of a summary fit uncut beside the title in an edge of this width."""
    ends = 4 if corners else 2
    return width - ends - width_of(title) - (2 if title else 0) - 3


def _row(text: Line, edge: str, width: int, style: TextStyle) -> Line:
    gap = width - 2 - 2 * len(edge) - width_of(text.spans) - width_of(text.right)
    if text.chosen:
        inside = (Span(" "), *text.spans, Span(" " * gap), *text.right, Span(" "))
        bar = (Span(span.text, span.style, chosen=True) for span in inside)
        return Line((Span(edge, style), *bar, Span(edge, style)))
    # The gap takes the style of what follows it, so that both are written with one style.
    after = text.right[0].style if text.right else style
    gapped = (*text.spans, Span(" " * gap, after), *text.right)
    return Line((Span(edge + " ", style), *gapped, Span(" " + edge, style)))


def strip(text: Line, width: int, screen_style: ScreenStyle) -> Strip:
    """Render a line as a strip of exactly `width` cells, adjacent equal styles in one segment."""
    spans = fit(text.spans, width, screen_style.glyphs)
    padding = Span(" " * (width - width_of(spans)), TextStyle.FRAME)
    segments: list[Segment] = []
    run, style = "", Style.null()
    for span in (*spans, padding):
        wanted = (screen_style.chosen if span.chosen else screen_style.plain)[span.style]
        if wanted != style and run:
            segments.append(Segment(_plain_spaces(run), style))
            run = ""
        run, style = run + span.text, wanted if span.text else style
    if run:
        segments.append(Segment(_plain_spaces(run), style))
    return Strip(segments, width)


def _plain_spaces(text: str) -> str:
    """Replace no-break spaces: they only matter for wrapping, and copied text should have none."""
    return text.replace("\u00a0", " ")
