"""A config that is broken, or half broken: the good environments work, and the way out is shown."""

from __future__ import annotations

from pathlib import Path

from . import canned
from .canned import CONFIG, canned_app
from .screen import flat, read, until, write

WIDE = (120, 40)
HALF = (
    CONFIG + '\n[environments.Odd]\narm = "http://odd.example"\n[identities.bad]\nkind = "robot"\n'
)
LINE = HALF.splitlines().index('arm = "http://odd.example"') + 1


async def test_r_on_a_broken_file_keeps_what_was_read_and_says_so(config: Path) -> None:
    events = canned.events_of(canned.HEALTHY)
    async with canned_app(config, events, text=CONFIG).run_test(size=WIDE) as pilot:
        write(config, broken := CONFIG + "\n[environments.New\n")
        line = len(CONFIG.splitlines()) + 2
        await pilot.press("r")
        shown = await until(pilot, f"the config is broken (line {line}): kept what was read before")
        assert "ctrl+e opens it" in shown
        assert "✗ config broken" in shown
        assert "AzureStackAdmin" in shown
        assert f"line {line}, column" in flat(shown)
        await pilot.press("c")
        await until(pilot, "Signed in")
        await pilot.press("j", "space")
        await until(pilot, f"config.toml: line {line}, column")
        assert read(config) == broken
        write(config, CONFIG)
        await pilot.press("r")
        shown = await until(pilot, "the config was read again")
        assert "config broken" not in shown


async def test_a_bad_environment_shows_its_line_and_hides_no_hints(config: Path) -> None:
    async with canned_app(config, text=HALF).run_test(size=(80, 23)) as pilot:
        shown = await until(pilot, "✗ unusable")
        assert shown.splitlines()[-1].startswith(" c check")
        await pilot.press("G")
        shown = flat(await until(pilot, f"line {LINE}: environments.Odd.arm"))
        assert shown.split()[0] == "Odd"  # the top line names what the other panes are about
        assert "ctrl+e opens the file at that line, r reads it again." in shown
        await pilot.press("r")
        await until(pilot, "the config was read again: 2 of it cannot be used")
        await pilot.press("3", "G")
        await until(pilot, "identities.bad.kind")


async def test_the_identity_in_use_is_marked_and_first(config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    async with app.run_test(size=WIDE) as pilot:
        shown = await until(pilot, "● ops")
        assert shown.index("● ops") < shown.index("│   operator ")
        await pilot.press("j")
        shown = await until(pilot, "▸ ● operator")
        assert shown.index("● operator") < shown.index("│   ops ")


async def test_an_operators_endpoint_has_a_word_and_a_sign(config: Path) -> None:
    async with canned_app(config, text=CONFIG).run_test(size=(80, 23)) as pilot:
        shown = await until(pilot, "# AzureStackAdmin")
        assert "operator" not in shown.splitlines()[0]
        await pilot.press("j")
        shown = await until(pilot, "AzureStackAdmin · operator · adminmanagement")
        assert "# operator" in shown
