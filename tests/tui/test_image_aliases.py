"""The aliases of VM images in the dashboard, on a stamp: listed, compared on demand, copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui import check_runner
from stacktui.tui.app import StacktuiApp
from tests.product import config_text

from .screen import flat, settle, text_of, until, write

SIZE = (80, 23)
UBUNTU = "Canonical:UbuntuServer:18.04-LTS"


@pytest.fixture(scope="module")
def stamp() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions()) as running:
        yield running


@pytest.fixture(autouse=True)
def _new_tokens(stamp: RunningStamp) -> Iterator[None]:
    check_runner.load_engine.cache_clear()  # it holds them too
    check_runner.session_tokens.cache_clear()
    yield
    stamp.fault_at()


def app_of(config: Path, stamp: RunningStamp, url: str) -> StacktuiApp:
    setting = f'vm_image_aliases = "{url}"' if url else ""
    write(config, config_text(stamp.describe(), environment=setting))
    return StacktuiApp(config)


async def test_they_are_listed_compared_and_copied(config: Path, stamp: RunningStamp) -> None:
    app, before = app_of(config, stamp, stamp.vm_image_aliases), len(stamp.requests)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, stamp.vm_image_aliases)  # among the settings
        await pilot.press("i")
        shown = flat(await until(pilot, "▸ UbuntuLTS"))
        assert f"image {UBUNTU}:latest" in shown
        assert "on the stamp not compared" in shown
        assert [each.path for each in stamp.requests[before:]] == ["/aliases.json"]
        await pilot.press("enter")
        shown = await until(pilot, "✗ not there")
        assert f"✓ use {UBUNTU}:18.04.202204190" in shown
        await pilot.press("down")
        assert "no publisher OpenLogic" in flat(await until(pilot, "OpenLogic:CentOS:7.5"))
        await pilot.press("up", "y")
        await settle(pilot)
        assert app.copier.text == f"{UBUNTU}:18.04.202204190"
        await pilot.press("escape")
        await until(pilot, "1 Environments")


async def test_a_refused_comparison_is_said_and_leaves_the_list(
    config: Path, stamp: RunningStamp
) -> None:
    app = app_of(config, stamp, stamp.vm_image_aliases)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("i")
        await until(pilot, "▸ UbuntuLTS")
        stamp.fault_at("GET */publishers=401")
        await pilot.press("enter")
        assert "not compared: 401" in flat(await until(pilot, "not compared: "))
        stamp.fault_at()
        await pilot.press("enter")
        await until(pilot, "✓ there")


async def test_what_cannot_be_fetched_says_what_az_does_then(
    config: Path, stamp: RunningStamp
) -> None:
    app = app_of(config, stamp, f"{stamp.arm_url}/none.json")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("i")
        shown = flat(await until(pilot, "That could not be done."))
    assert "answers with status" in shown
    assert "the list that it has built in" in shown


async def test_without_a_url_it_says_how_to_set_one(config: Path, stamp: RunningStamp) -> None:
    async with app_of(config, stamp, "").run_test(size=SIZE) as pilot:
        await pilot.press("i")
        shown = flat(await until(pilot, "If there is one:"))
        assert "vm_image_aliases=URL" in shown
        assert "--check --sample FILE" in shown
        lines = text_of(pilot.app).splitlines()
        first = next(i for i, each in enumerate(lines) if "stacktui environments aliases" in each)
        assert "│     " in lines[first + 1]  # a command that wraps hangs
        await pilot.press("enter", "y")
        await settle(pilot)
        assert "If there is one:" in text_of(pilot.app)
