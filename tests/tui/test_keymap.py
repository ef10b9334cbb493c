"""The keys of each pane: one meaning each, and the user's own in place of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.tui.app import StacktuiApp
from stacktui.tui.keymap import conflicts, key_name, keymap_of
from stacktui.tui.screens.dashboard import Dashboard
from stacktui.tui.screens.pane_grid import PANES

from .canned import CONFIG, canned_app
from .screen import settle, text_of, type_in, until, write

PLACES = {each.caption: (each, Dashboard, StacktuiApp) for each in PANES}
REFUSED = {
    "unknown action": ({"chek": ["k"]}, "keys.chek is not a known action; did you mean check?"),
    "unknown key": ({"sort": ["ctlr+s"]}, "keys.sort: 'ctlr+s' is not a known key"),
    "taken in the pane": ({"sort": ["space"]}, "keys.sort: space is make_active in Environments"),
    "taken everywhere": ({"sort": ["c"]}, "keys.sort: c is check in Environments already"),
    "taken in another pane": ({"check": ["T"]}, "keys.check: T is trust in Certificates already"),
    "esc": ({"sort": ["esc"]}, "keys.sort: esc is back in Environments already"),
    "the same twice": ({"sort": ["o"], "demo": ["o"]}, "keys.demo: o is sort in Environments"),
}


def test_no_key_has_two_meanings_in_a_pane() -> None:
    assert list(conflicts(PLACES, {})) == []


def test_one_that_had_would_be_found() -> None:
    found = list(conflicts(PLACES, {"sort": "c"}))
    both = {"check", "sort"}
    assert found == [("Environments", "c", both), ("Resource groups", "c", both)]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_unknown_or_taken_is_refused_with_a_warning(case: str) -> None:
    wanted, said = REFUSED[case]
    keymap, warnings = keymap_of({**wanted, "refresh": ["f5"]}, PLACES)
    assert len(warnings) == 1
    assert warnings[0].startswith(said)
    assert keymap["refresh"] == "f5"
    assert list(conflicts(PLACES, keymap)) == []


def test_two_actions_may_change_places() -> None:
    keymap, warnings = keymap_of({"check": ["C"], "check_all": ["c"]}, PLACES)
    assert (keymap, warnings) == ({"check": "C", "check_all": "c"}, [])


@pytest.mark.parametrize(
    ("text", "name"),
    [("?", "question_mark"), ("esc", "escape"), ("pgdn", "pagedown"), ("ctrl+x", "ctrl+x"),
     ("F", "F"), ("f5", "f5"), ("space", "space"), ("+", "plus"), ("hyper+x", None), ("", None),
     ("ab", None)],
)  # fmt: skip
def test_keys_have_the_names_that_are_on_the_screen(text: str, name: str | None) -> None:
    assert key_name(text) == name


async def test_the_users_keys_work_and_are_shown(config: Path) -> None:
    keys = '\n[keys]\nsort = ["o", "ctrl+o"]\ncheck_all = "f5"\ngone = ["k"]\n'
    app = canned_app(config, text=CONFIG + keys)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "keys.gone is not a known action")
        await pilot.press("o")
        await until(pilot, "· broken first")
        await pilot.press("ctrl+o", "s")
        await settle(pilot)
        assert "· broken first" not in text_of(app)
        assert "f5 check all" in text_of(app)
        write(config, CONFIG)
        await pilot.press("r")
        await until(pilot, "the config was read again")
        await pilot.press("k")
        await until(pilot, "C check all")


async def test_the_palette_goes_to_environments_and_panes_by_name(config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3", "colon")
        await until(pilot, "Commands and places")
        await type_in(pilot, "west")
        await pilot.press("enter")
        await until(pilot, "Press c to check West.")
        assert app.app_state.current == "West"
        assert app.dashboard.grid.front is app.dashboard.grid.environments
        await pilot.press("colon")
        await type_in(pilot, "certif")
        await pilot.press("enter")
        await settle(pilot)
        assert app.dashboard.grid.front is app.dashboard.grid.certificates
        await pilot.press("colon")
        await type_in(pilot, "scan hosts")
        assert "l" in await until(pilot, "scan hosts")


async def test_help_shows_all_keys_with_those_of_the_place_first(config: Path) -> None:
    async with canned_app(config, text=CONFIG).run_test(size=(100, 80)) as pilot:
        await pilot.press("2", "question_mark")
        shown = await until(pilot, "Everywhere")
        order = [shown.index(each) for each in ("trust its root", "Everywhere", "make active")]
        assert order == sorted(order)
        for key in ("ctrl+e", "ctrl+d", "ctrl+q", "ctrl+z"):
            assert key in shown


async def test_half_pages(config: Path) -> None:
    names = "".join(f'[environments.e{n:02}]\narm = "https://m{n}.x.example"\n' for n in range(60))
    app = canned_app(config, text=names)
    async with app.run_test(size=(120, 40)) as pilot:
        rows = app.dashboard.grid.environments.rows_shown
        await pilot.press("ctrl+d")
        assert app.dashboard.grid.environments.chosen == f"e{(rows - 1) // 2:02}"
        await pilot.press("pagedown", "ctrl+u", "pageup")
        assert app.dashboard.grid.environments.chosen == "e00"
