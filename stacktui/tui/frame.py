"""Frames around lines, drawn as lines: a pane's whole face is data until the last moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, fit, sanitize_spans, width_of
from stacktui.tui.screen_style import ScreenStyle


@dataclass(frozen=True, slots=True)
class PanelContent:
    """What a pane shows: a title left and right in its top edge, rows, a note in its bottom edge.

    The rows are wrapped to the width inside the frame already; those that do not fit are cut.
    """

    title: tuple[Span, ...]
    summary: tuple[Span, ...]
    rows: Sequence[Line]
    note: tuple[Span, ...] = ()
    focused: bool = False


def draw(panel_content: PanelContent, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The face as exactly `height` lines of exactly `width` cells; one line alone is folded."""
    style = TextStyle.FOCUS if panel_content.focused else TextStyle.FRAME
    nw, ne, se, sw, across, down = tuple(glyphs.frame)
    if height == 1:
        return [
            _edge(across, " ", panel_content.title, panel_content.summary, width, style, glyphs)
        ]
    top = _edge(
        nw + across, across + ne, panel_content.title, panel_content.summary, width, style, glyphs
    )
    bottom = _edge(sw + across, across + se, (), panel_content.note, width, style, glyphs)
    inside = [_row(text, down, width, style) for text in panel_content.rows[: height - 2]]
    empty = Line((Span(down + " " * (width - 2) + down, style),))
    return [top, *inside, *[empty] * (height - 2 - len(inside)), bottom]


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
    # A summary that would be cut to nothing is left out: half a word tells nothing.
    right = fit(right, rest - 3, glyphs) if rest - 3 >= min(8, width_of(right)) else ()
    if right:
        rest -= width_of(right) + 2
        tail = (Span(across * rest + " ", style), *right, Span(" " + end, style))
    else:
        tail = (Span(across * rest + end, style),)
    return Line((*left, *tail))


def summary_room(title: tuple[Span, ...], width: int, *, folded: bool) -> int:
    """How many cells of a summary fit beside the title in a face of this width, uncut."""
    corners = 2 if folded else 4
    return width - corners - width_of(title) - (2 if title else 0) - 3


def _row(text: Line, down: str, width: int, style: TextStyle) -> Line:
    gap = width - 4 - width_of(text.spans) - width_of(text.right)
    if text.chosen:
        inside = (Span(" "), *text.spans, Span(" " * gap), *text.right, Span(" "))
        bar = (Span(span.text, span.style, chosen=True) for span in inside)
        return Line((Span(down, style), *bar, Span(down, style)))
    # The gap takes the role of what follows it, so that both are written with one style.
    after = text.right[0].style if text.right else style
    gapped = (*text.spans, Span(" " * gap, after), *text.right)
    return Line((Span(down + " ", style), *gapped, Span(" " + down, style)))


def strip(text: Line, width: int, screen_style: ScreenStyle) -> Strip:
    """The line as a strip of exactly `width` cells; neighbours of one style become one segment."""
    spans = fit(text.spans, width, screen_style.glyphs)
    padding = Span(" " * (width - width_of(spans)), TextStyle.FRAME)
    segments: list[Segment] = []
    run, style = "", Style.null()
    for span in (*spans, padding):
        wanted = (screen_style.chosen if span.chosen else screen_style.plain)[span.style]
        if wanted != style and run:
            segments.append(Segment(_soft(run), style))
            run = ""
        run, style = run + span.text, wanted if span.text else style
    if run:
        segments.append(Segment(_soft(run), style))
    return Strip(segments, width)


def _soft(text: str) -> str:
    """Hard blanks have done their work once a line is broken; a copy should hold plain ones."""
    return text.replace("\u00a0", " ")
