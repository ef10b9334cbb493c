"""Everything has its place at every size, and nothing overlaps."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.geometry import Region

from stacktui.tui.layout import LEAST, LayoutState, Wanted, arrange

STACK = ("environments", "certificates", "identities", "resources")
SIZES = [(80, 24), (80, 40), (100, 27), (120, 28), (120, 40), (200, 60), (300, 100)]


def places(**changed: str | None) -> LayoutState:
    wanted = {"open": "environments", "front": "environments", "zoomed": None} | changed
    return LayoutState(STACK, "check", "detail", **wanted)  # type: ignore[arg-type]


def wants(rows: int, check: int = 8) -> Mapping[str, Wanted]:
    return {name: lambda _: rows for name in STACK} | {
        "check": lambda _: check,
        "detail": lambda _: 10,
    }


def covered(regions: Mapping[str, Region]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for region in regions.values()
        for y in range(region.y, region.bottom)
        for x in range(region.x, region.right)
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rows", [3, 12, 1000])
@pytest.mark.parametrize("check", [5, 20, 500])
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
def test_every_cell_belongs_to_one(
    size: tuple[int, int], rows: int, check: int, where: dict[str, str]
) -> None:
    regions = arrange(*size, places(**where), wants(rows, check))
    cells = covered(regions)
    assert len(cells) == len(set(cells)) == size[0] * size[1]
    assert all(region.height >= 1 for region in regions.values())


def test_when_it_is_short_the_open_pane_is_open_and_the_others_are_folded() -> None:
    regions = arrange(80, 24, places(open="identities"), wants(12))
    heights = {name: regions[name].height for name in STACK}
    assert heights == {"environments": 1, "certificates": 1, "identities": 19, "resources": 1}


def test_when_it_is_tall_all_are_open() -> None:
    regions = arrange(120, 40, places(), wants(12))
    assert all(regions[name].height >= LEAST for name in STACK)
    assert regions["environments"].height == 12


def test_the_check_keeps_its_verdict_and_the_detail_folds() -> None:
    regions = arrange(80, 24, places(), wants(3, check=30))
    assert regions["check"].height == 21
    assert regions["detail"].height == 1


def test_the_detail_opens_when_the_keys_go_there() -> None:
    regions = arrange(80, 24, places(front="detail"), wants(3, check=30))
    assert regions["detail"].height == 11


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (10, 3), (1, 1)])
def test_below_the_minimum_one_line_says_so(size: tuple[int, int]) -> None:
    assert list(arrange(*size, places(), wants(3))) == ["top"]
