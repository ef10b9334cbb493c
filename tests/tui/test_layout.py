"""Everything has its place at every size, and nothing overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

import pytest

from stacktui.tui.frame import Border
from stacktui.tui.layout import (
    LEAST,
    LIST_ROWS,
    Arrangement,
    LayoutState,
    Placement,
    Wanted,
    arrange,
    arrangement_of,
)

STACK = ("environments", "certificates", "identities", "resources")
COLUMNS = [(100, 20), (100, 27), (120, 28), (120, 40), (200, 60), (300, 100)]
STRIPS = [(60, 16), (80, 23), (99, 40), (120, 19)]
SINGLES = [(40, 10), (59, 40), (200, 15)]


def places(**changed: str | None) -> LayoutState:
    wanted = {"open": "environments", "front": "environments", "zoomed": None} | changed
    return LayoutState(STACK, "check", "detail", **wanted)  # type: ignore[arg-type]


def wants(rows: int, check: int = 8) -> Mapping[str, Wanted]:
    return {name: lambda _: rows for name in STACK} | {
        "check": lambda _: check,
        "detail": lambda _: 10,
    }


def covered(placements: Iterable[Placement]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for region in (each.region for each in placements)
        for y in range(region.y, region.bottom)
        for x in range(region.x, region.right)
    ]


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"open": "resources", "front": "resources"},
        {"front": "check"},
        {"front": "detail"},
        {"zoomed": "certificates", "open": "certificates", "front": "certificates"},
        {"zoomed": "check", "front": "check"},
    ],
)
def test_every_cell_belongs_to_one(where: dict[str, str]) -> None:
    for size, rows, check in product((*COLUMNS, *STRIPS, *SINGLES), (3, 12, 1000), (5, 20, 500)):
        placements = arrange(*size, places(**where), wants(rows, check))
        cells = covered(placements.values())
        assert len(cells) == len(set(cells)) == size[0] * size[1], (size, rows, check)
        assert all(each.region.height >= 1 for each in placements.values()), (size, rows, check)


@pytest.mark.parametrize(
    ("arrangement", "sizes"),
    [
        (Arrangement.COLUMNS, COLUMNS),
        (Arrangement.STRIP, STRIPS),
        (Arrangement.SINGLE, SINGLES),
        (Arrangement.TOO_SMALL, [(39, 10), (40, 9), (10, 3), (1, 1)]),
    ],
)
def test_the_size_decides_on_the_arrangement(
    arrangement: Arrangement, sizes: list[tuple[int, int]]
) -> None:
    assert {arrangement_of(*size) for size in sizes} == {arrangement}


def heights(placements: Mapping[str, Placement]) -> dict[str, int]:
    return {name: each.region.height for name, each in placements.items()}


def test_when_it_is_short_the_open_pane_is_open_and_the_others_are_folded() -> None:
    found = heights(arrange(100, 24, places(open="identities"), wants(12)))
    stack = {name: found[name] for name in STACK}
    assert stack == {"environments": 1, "certificates": 1, "identities": 19, "resources": 1}


def test_when_it_is_tall_all_are_open() -> None:
    found = heights(arrange(120, 40, places(), wants(10)))
    assert all(found[name] >= LEAST for name in STACK)
    assert found["environments"] == 12


def test_the_check_keeps_its_verdict_and_the_detail_folds() -> None:
    found = heights(arrange(100, 24, places(), wants(3, check=30)))
    assert (found["check"], found["detail"]) == (21, 1)


def test_the_detail_opens_when_the_keys_go_there() -> None:
    assert heights(arrange(100, 24, places(front="detail"), wants(3, check=30)))["detail"] == 11


def test_the_check_has_the_whole_width_under_the_open_list() -> None:
    found = arrange(80, 23, places(open="identities"), wants(12, check=30))
    assert set(found) == {"top", "hints", "strip", "identities", "check"}
    assert heights(found) == {
        "top": 1,
        "hints": 1,
        "strip": 1,
        "identities": LIST_ROWS,
        "check": 17,
    }
    assert found["check"].region.width == 80
    assert (found["identities"].border, found["check"].border) == (Border.NONE, Border.RULE)


def test_list_check_and_detail_share_the_screen() -> None:
    found = heights(arrange(80, 23, places(), wants(12, check=8)))
    assert (found["environments"], found["check"], found["detail"]) == (6, 9, 5)
    found = heights(arrange(80, 23, places(), wants(2, check=8)))
    assert (found["environments"], found["check"], found["detail"]) == (2, 9, 9)


def test_the_detail_takes_the_place_of_the_check_while_it_has_the_keys() -> None:
    found = arrange(80, 23, places(front="detail"), wants(12, check=30))
    assert set(found) == {"top", "hints", "strip", "environments", "detail"}


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ({}, "environments"),
        ({"front": "check"}, "check"),
        ({"front": "detail"}, "detail"),
        ({"zoomed": "check", "front": "check"}, "check"),
        ({"zoomed": "environments"}, "detail"),
    ],
)
def test_on_the_smallest_screens_one_pane_is_shown(where: dict[str, str], shown: str) -> None:
    assert set(arrange(40, 10, places(**where), wants(12))) == {"top", "hints", shown}


@pytest.mark.parametrize("size", [(39, 10), (40, 9), (10, 3), (1, 1)])
def test_below_the_minimum_one_line_says_so(size: tuple[int, int]) -> None:
    assert list(arrange(*size, places(), wants(3))) == ["top"]


@pytest.mark.parametrize("name", STACK)
def test_a_zoomed_list_is_longer_not_shorter(name: str) -> None:
    where = {"open": name, "front": name}
    for size, rows in product((*COLUMNS, *STRIPS), (1, 12, 20, 1000)):
        before = arrange(*size, places(**where), wants(rows))[name]
        zoomed = arrange(*size, places(**where, zoomed=name), wants(rows))[name]
        shown = zoomed.region.height - zoomed.border.rows
        assert shown >= min(rows, before.region.height - before.border.rows), (size, rows)
        assert zoomed.region.width >= before.region.width, (size, rows)
        assert zoomed.region.area > before.region.area or shown >= rows, (size, rows)
