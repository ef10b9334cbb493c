"""The layout of the dashboard: a pure function from the terminal's size to every pane's region.

There are three arrangements: two columns; a strip of the lists' titles with the open list and the
check below it; and, on the smallest screens, one pane at a time. Sizes are computed in one pass
from the terminal's size and what the panes want, since every further layout repaints the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from textual.geometry import Region

from stacktui.tui.frame import Border

MIN_WIDTH, MIN_HEIGHT = 40, 10
# Below this size one pane is shown at a time.
STRIP_WIDTH, STRIP_HEIGHT = 60, 16
# From this size on there are two columns.
COLUMNS_WIDTH, COLUMNS_HEIGHT = 100, 20
# From this height on all left panes are open; below it, only the one in use.
OPEN_HEIGHT = 28
FOLDED, LEAST, DETAIL_LEAST = 1, 4, 4
# The detail's rows, with its frame, below a zoomed list that wants all the others.
DETAIL_BELOW_ZOOMED = 3
# Least rows of the list below the strip, and at most a third of all rows.
LIST_ROWS = 3

# Returns the rows that would show everything at a width inside a pane's border.
Wanted = Callable[[int], int]


class Arrangement(Enum):
    """How the panes share the screen."""

    COLUMNS = "columns"
    STRIP = "strip"
    SINGLE = "single"
    TOO_SMALL = "too small"


@dataclass(frozen=True, slots=True)
class LayoutState:
    """The panes: the `open` list, the focused one (`front`), and the one that fills the screen
    (`zoomed`), if any; `halved` if that leaves half of the screen to the detail."""

    stack: Sequence[str]
    check: str
    detail: str
    open: str
    front: str
    zoomed: str | None = None
    halved: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """The region of a pane or a bar, and how much of a frame it has."""

    region: Region
    border: Border = Border.BOX


def arrangement_of(width: int, height: int) -> Arrangement:
    """Return the arrangement for a terminal of this size."""
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        return Arrangement.TOO_SMALL
    if width < STRIP_WIDTH or height < STRIP_HEIGHT:
        return Arrangement.SINGLE
    if width < COLUMNS_WIDTH or height < COLUMNS_HEIGHT:
        return Arrangement.STRIP
    return Arrangement.COLUMNS


def arrange(
    width: int, height: int, state: LayoutState, wanted: Mapping[str, Wanted]
) -> dict[str, Placement]:
    """Return the placements of everything that is shown: no overlap, and every cell is filled."""
    arrangement = arrangement_of(width, height)
    if arrangement is Arrangement.TOO_SMALL:
        return {"top": Placement(Region(0, 0, width, max(1, height)))}
    bars = {
        "top": Placement(Region(0, 0, width, 1)),
        "hints": Placement(Region(0, height - 1, width, 1)),
    }
    body = Region(0, 1, width, height - 2)
    match arrangement:
        case Arrangement.SINGLE:
            return bars | _single(body, state)
        case Arrangement.STRIP:
            return bars | _strip(body, state, wanted)
    return bars | _columns(body, state, wanted)


def _single(body: Region, state: LayoutState) -> dict[str, Placement]:
    """Return the focused pane; for a zoomed list, the detail of its highlighted row."""
    shown = state.detail if state.zoomed in state.stack else state.zoomed or state.front
    return {shown: Placement(body, Border.RULE)}


def _strip(body: Region, state: LayoutState, wanted: Mapping[str, Wanted]) -> dict[str, Placement]:
    if state.zoomed is not None:
        return _zoomed(body, state, wanted, Border.RULE)
    width, room = body.width, body.height - 1
    inner = width - Border.NONE.columns
    wants = {name: wanted[name](inner) for name in (state.open, state.check)}
    check = wants[state.check] + Border.RULE.rows
    rows = max(1, min(wants[state.open], max(LIST_ROWS, min(room // 3, room - check))))
    lower = Region(0, body.y + 1 + rows, width, room - rows)
    placements = {
        "strip": Placement(Region(0, body.y, width, 1)),
        state.open: Placement(Region(0, body.y + 1, width, rows), Border.NONE),
    }
    if state.front == state.detail:  # in the place of the check, while it has the keys
        return placements | {state.detail: Placement(lower, Border.RULE)}
    if lower.height - check < DETAIL_LEAST:
        return placements | {state.check: Placement(lower, Border.RULE)}
    upper, lower = lower.split_horizontal(check)
    return placements | {
        state.check: Placement(upper, Border.RULE),
        state.detail: Placement(lower, Border.RULE),
    }


def _zoomed(
    body: Region, state: LayoutState, wanted: Mapping[str, Wanted], border: Border
) -> dict[str, Placement]:
    zoomed = state.zoomed or state.check
    if zoomed not in state.stack:
        return {zoomed: Placement(body, border)}
    wants = wanted[zoomed](body.width - border.columns) + border.rows
    halved = state.halved or state.front == state.detail
    most = body.height // 2 if halved else body.height - DETAIL_BELOW_ZOOMED
    rows = max(LEAST, min(wants, most))
    upper, lower = body.split_horizontal(rows)
    return {zoomed: Placement(upper, border), state.detail: Placement(lower, border)}


def _columns(
    body: Region, state: LayoutState, wanted: Mapping[str, Wanted]
) -> dict[str, Placement]:
    if state.zoomed is not None:
        return _zoomed(body, state, wanted, Border.BOX)
    left = max(32, min(56, body.width * 3 // 8))
    placements = {}
    y = body.y
    for name, rows in _stack(left, body.height, state, wanted).items():
        placements[name] = Placement(Region(0, y, left, rows))
        y += rows
    right = Region(left, body.y, body.width - left, body.height)
    upper, lower = right.split_horizontal(_check_height(right, state, wanted))
    return placements | {state.check: Placement(upper), state.detail: Placement(lower)}


def _box_height(name: str, width: int, wanted: Mapping[str, Wanted]) -> int:
    return wanted[name](width - Border.BOX.columns) + Border.BOX.rows


def _stack(
    width: int, body: int, state: LayoutState, wanted: Mapping[str, Wanted]
) -> dict[str, int]:
    """Return the heights of the left panes."""
    if body + 2 < OPEN_HEIGHT:
        heights = dict.fromkeys(state.stack, FOLDED)
        heights[state.open] = body - FOLDED * (len(state.stack) - 1)
        return heights
    wants = {name: max(LEAST, _box_height(name, width, wanted)) for name in state.stack}
    heights = dict.fromkeys(state.stack, LEAST)
    spare = body - sum(heights.values())
    # The pane in use gets what it wants; the others share the rest line by line.
    more = min(spare, wants[state.open] - LEAST)
    heights[state.open] += more
    spare -= more
    while spare and (hungry := [name for name in heights if heights[name] < wants[name]]):
        for name in hungry[:spare]:
            heights[name] += 1
        spare -= len(hungry[:spare])
    heights[state.stack[-1]] += spare
    return heights


def _check_height(right: Region, state: LayoutState, wanted: Mapping[str, Wanted]) -> int:
    """Return the check's height. The detail folds before it is squeezed, unless it is in use."""
    body = right.height
    check = max(LEAST + 1, _box_height(state.check, right.width, wanted))
    if state.front == state.detail:
        return min(check, body // 2)
    return min(check, body - FOLDED) if check > body - DETAIL_LEAST else check
