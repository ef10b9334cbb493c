"""Frames around lines, drawn as lines: a pane's whole face is data until the last moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Role, Span, fit, harmless, width_of
from stacktui.tui.screen_style import Look


@dataclass(frozen=True, slots=True)
class Face:
    """What a pane shows: a title left and right in its top edge, rows, a note in its bottom edge.

    The rows are wrapped to the width inside the frame already; those that do not fit are cut.
    """

    title: tuple[Span, ...]
    summary: tuple[Span, ...]
    rows: Sequence[Line]
    note: tuple[Span, ...] = ()
    focused: bool = False


def draw(face: Face, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The face as exactly `height` lines of exactly `width` cells; one line alone is folded."""
    role = Role.FOCUS if face.focused else Role.FRAME
    nw, ne, se, sw, across, down = tuple(glyphs.frame)
    if height == 1:
        return [_edge(across, " ", face.title, face.summary, width, role, glyphs)]
    top = _edge(nw + across, across + ne, face.title, face.summary, width, role, glyphs)
    bottom = _edge(sw + across, across + se, (), face.note, width, role, glyphs)
    inside = [_row(text, down, width, role) for text in face.rows[: height - 2]]
    empty = Line((Span(down + " " * (width - 2) + down, role),))
    return [top, *inside, *[empty] * (height - 2 - len(inside)), bottom]


def _edge(
    start: str,
    end: str,
    title: tuple[Span, ...],
    right: tuple[Span, ...],
    width: int,
    role: Role,
    glyphs: Glyphs,
) -> Line:
    across = glyphs.frame[4]
    room = width - len(start) - len(end)
    title = fit(harmless(title, glyphs), room - 3, glyphs)
    left = (Span(start + " ", role), *title, Span(" ", role)) if title else (Span(start, role),)
    rest = width - width_of(left) - len(end)
    right = harmless(right, glyphs)
    # A summary that would be cut to nothing is left out: half a word tells nothing.
    right = fit(right, rest - 3, glyphs) if rest - 3 >= min(8, width_of(right)) else ()
    if right:
        rest -= width_of(right) + 2
        tail = (Span(across * rest + " ", role), *right, Span(" " + end, role))
    else:
        tail = (Span(across * rest + end, role),)
    return Line((*left, *tail))


def summary_room(title: tuple[Span, ...], width: int, *, folded: bool) -> int:
    """How many cells of a summary fit beside the title in a face of this width, uncut."""
    corners = 2 if folded else 4
    return width - corners - width_of(title) - (2 if title else 0) - 3


def _row(text: Line, down: str, width: int, role: Role) -> Line:
    gap = width - 4 - width_of(text.spans) - width_of(text.right)
    if text.chosen:
        inside = (Span(" "), *text.spans, Span(" " * gap), *text.right, Span(" "))
        bar = (Span(span.text, span.role, chosen=True) for span in inside)
        return Line((Span(down, role), *bar, Span(down, role)))
    # The gap takes the role of what follows it, so that both are written with one style.
    after = text.right[0].role if text.right else role
    gapped = (*text.spans, Span(" " * gap, after), *text.right)
    return Line((Span(down + " ", role), *gapped, Span(" " + down, role)))


def strip(text: Line, width: int, look: Look) -> Strip:
    """The line as a strip of exactly `width` cells; neighbours of one style become one segment."""
    spans = fit(text.spans, width, look.glyphs)
    padding = Span(" " * (width - width_of(spans)), Role.FRAME)
    segments: list[Segment] = []
    run, style = "", Style.null()
    for span in (*spans, padding):
        wanted = (look.chosen if span.chosen else look.plain)[span.role]
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
