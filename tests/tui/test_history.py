"""The dashboard and the history of checks: since when it is so, also after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stacktui.check.history import read_history
from stacktui.check.settings import load_settings
from stacktui.config.locations import history_file
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import Ran, stacktui

from .screen import read, until, write

SIZE = (120, 40)
Start = Callable[..., RunningStamp]


async def headless(config: Path) -> Ran:
    return await asyncio.to_thread(stacktui, "check", "--config", config)


async def checked(app: StacktuiApp, *shown: str) -> None:
    """Check once, and wait until all of this is shown."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("c")
        for each in shown:
            await until(pilot, each)
        app.history.close()


async def test_a_check_is_added_and_says_since_when_it_is_so(start: Start, config: Path) -> None:
    start()
    await checked(StacktuiApp(config), "✓ OK", "Nothing is wrong.")
    await checked(StacktuiApp(config), "✓ OK", "since ", " (2 checks)")
    start(secret='{ env = "NOT_SET_ANYWHERE" }')
    await checked(StacktuiApp(config), "✗ secret-missing", "since this check; before: ok")
    assert "so since " in (await headless(config)).out
    streaks, _ = read_history(load_settings(config).target())
    assert [(each.outcome, each.checks) for each in streaks] == [("secret-missing", 2), ("ok", 2)]


async def test_after_a_restart_the_last_check_is_shown(start: Start, config: Path) -> None:
    start(secret='{ env = "NOT_SET_ANYWHERE" }')
    for _ in range(2):
        assert (await headless(config)).code == 1
    async with StacktuiApp(config).run_test(size=SIZE) as pilot:
        await until(pilot, "(2")
        shown = await until(pilot, "last check")
        (line,) = (each for each in shown.splitlines() if "last check" in each)
        assert "✗ secret-missing" in line
        # The pane of identities, below, names the environment too.
        row, *_ = (each for each in shown.splitlines() if "▸" in each and "Test" in each)
        assert "✗ secret-missing" in row
        assert "not checked" not in shown
        (title,) = (each for each in shown.splitlines() if "1 Environments" in each)
        assert "1 · 1 fault" in title


async def test_a_check_without_sign_in_is_counted_apart(start: Start, config: Path) -> None:
    start()
    write(config, read(config).replace('identity = "tester"', ""))
    async with StacktuiApp(config).run_test(size=SIZE) as pilot:
        await pilot.press("c")
        await until(pilot, "1 · 1 metadata ok")
    async with StacktuiApp(config).run_test(size=SIZE) as pilot:
        await until(pilot, "1 · 1 metadata ok")


@pytest.mark.parametrize("broken", ["locked", "later"])
async def test_a_history_that_cannot_be_used_is_told(
    start: Start, config: Path, broken: str
) -> None:
    start()
    await headless(config)
    with closing(sqlite3.connect(history_file(), isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE" if broken == "locked" else "PRAGMA user_version=7")
        app, started = StacktuiApp(config), time.monotonic()
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("c")
            await until(pilot, "Nothing is wrong.")
            await until(pilot, "not in the history: ")
            assert time.monotonic() - started < 20
