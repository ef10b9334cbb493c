"""Where everything on the dashboard stands: one pure function, and the layout that asks it.

The first frame must be right, since every further layout repaints: so sizes come from what the
panes want and from the terminal's size alone, in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.geometry import Region

MIN_WIDTH, MIN_HEIGHT = 80, 24
# From here on the left panes are all open; below it only the one in use is.
OPEN_HEIGHT = 28
FOLDED, LEAST, DETAIL_LEAST = 1, 4, 4

Wanted = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class LayoutState:
    """Who stands where: the left stack, the two at the right, and who is in use or alone."""

    stack: Sequence[str]
    check: str
    detail: str
    open: str
    front: str
    zoomed: str | None = None


def arrange(
    width: int, height: int, places: LayoutState, wanted: Mapping[str, Wanted]
) -> dict[str, Region]:
    """The region of everyone who is to be seen. Nothing overlaps, everything is filled."""
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        return {"top": Region(0, 0, width, max(1, height))}
    body = height - 2
    regions = {"top": Region(0, 0, width, 1), "hints": Region(0, height - 1, width, 1)}
    if places.zoomed is not None:
        return regions | _zoomed(width, body, places, wanted)
    left = max(32, min(56, width * 3 // 8))
    y = 1
    for name, rows in _stack(left, body, places, wanted).items():
        regions[name] = Region(0, y, left, rows)
        y += rows
    right = width - left
    rows = _check_height(right, body, places, wanted)
    regions[places.check] = Region(left, 1, right, rows)
    regions[places.detail] = Region(left, 1 + rows, right, body - rows)
    return regions


def _zoomed(
    width: int, body: int, places: LayoutState, wanted: Mapping[str, Wanted]
) -> dict[str, Region]:
    zoomed = places.zoomed or places.check
    if zoomed not in places.stack:
        return {zoomed: Region(0, 1, width, body)}
    rows = max(LEAST, min(wanted[zoomed](width), body // 2))
    return {
        zoomed: Region(0, 1, width, rows),
        places.detail: Region(0, 1 + rows, width, body - rows),
    }


def _stack(
    width: int, body: int, places: LayoutState, wanted: Mapping[str, Wanted]
) -> dict[str, int]:
    """The heights of the left panes."""
    if body + 2 < OPEN_HEIGHT:
        heights = dict.fromkeys(places.stack, FOLDED)
        heights[places.open] = body - FOLDED * (len(places.stack) - 1)
        return heights
    wants = {name: max(LEAST, wanted[name](width)) for name in places.stack}
    heights = dict.fromkeys(places.stack, LEAST)
    spare = body - sum(heights.values())
    # The pane in use gets what it wants first, the others share what is left line by line.
    more = min(spare, wants[places.open] - LEAST)
    heights[places.open] += more
    spare -= more
    while spare and (hungry := [name for name in heights if heights[name] < wants[name]]):
        for name in hungry[:spare]:
            heights[name] += 1
        spare -= len(hungry[:spare])
    heights[places.stack[-1]] += spare
    return heights


def _check_height(width: int, body: int, places: LayoutState, wanted: Mapping[str, Wanted]) -> int:
    """What the check wants; the detail folds rather than being squeezed, unless it is in use."""
    check = max(LEAST + 1, wanted[places.check](width))
    if places.front == places.detail:
        return min(check, body // 2)
    return min(check, body - FOLDED) if check > body - DETAIL_LEAST else check
