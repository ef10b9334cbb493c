"""`W`: a check that also writes, after a question; and `f` at what such checks have left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.check import probe_group
from stacktui.check.write_probe import PREFIX, TAG
from stacktui.cli import dashboard
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import config_text
from tests.resources.group_states import created, row_of
from tests.resources.walks import writes

from .screen import flat, resize, settle, text_of, until, write

SMALL, TALL = (80, 23), (80, 40)
LONG_AGO = "2026-01-02T03:04:05Z"
PUT = "PUT */resourcegroups/stacktui-probe-*"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=3, retry_after=0, delete_seconds=0.2)) as stamp:
        yield stamp


@pytest.fixture
def stamp(
    running: RunningStamp, config: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningStamp]:
    monkeypatch.setattr(probe_group, "PAUSE", 0.05)
    write(config, config_text(running.describe()))
    yield running
    running.fault_at()


async def test_it_asks_and_shows_three_times(stamp: RunningStamp, config: Path) -> None:
    before = writes(stamp)
    async with StacktuiApp(config).run_test(size=TALL) as pilot:
        await pilot.press("W")
        shown = flat(await until(pilot, "make and delete a resource group?"))
        for text in ("the resource group stacktui-probe-…", "as tester (service principal)",
                     "ARM is waited for 180 s at most"):  # fmt: skip
            assert text in shown
        await resize(pilot, 40, 10)
        assert "y yes" in text_of(pilot.app)
        await pilot.press("escape")
        await settle(pilot)
        await resize(pilot, *TALL)
        assert writes(stamp) == before
        await pilot.press("W")
        await until(pilot, "make and delete a resource group?")
        await pilot.press("y")
        shown = flat(await until(pilot, "it is gone"))
        assert "✓ write probe" in shown
        times = "created .+ m?s, read .+ m?s, deleted .+ m?s"
        found = re.search(rf"group (stacktui-probe-\w+): {times}", shown)
        assert found is not None, shown
        assert await row_of(stamp, found[1]) is None
        assert [each.split()[0] for each in writes(stamp)[len(before) :]] == ["PUT", "DELETE"]
        # The next check only reads.
        await pilot.press("c")
        await until(pilot, "Nothing is wrong")
        await settle(pilot)
        assert "write probe" not in text_of(pilot.app)
        assert len(writes(stamp)) == len(before) + 2


async def test_what_is_refused_is_the_verdict(config: Path) -> None:
    with run_in_thread(StampOptions(groups=3, role="reader")) as stamp:
        write(config, config_text(stamp.describe()))
        async with StacktuiApp(config).run_test(size=TALL) as pilot:
            await pilot.press("W")
            await until(pilot, "make and delete")
            await pilot.press("y")
            shown = flat(await until(pilot, "✗ arm-forbidden"))
            assert "Contributor" in shown
            assert "it is not there" in shown


async def test_one_that_is_cancelled_says_what_may_be_left(
    stamp: RunningStamp, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = StacktuiApp(config)
    async with app.run_test(size=TALL) as pilot:
        for ends_with in ("escape", "q"):
            sent = len(stamp.requests)
            stamp.fault_at(f"{PUT}=hang-after")
            await pilot.press("W")
            await until(pilot, "make and delete")
            await pilot.press("y")
            while not any(each.method == "PUT" for each in stamp.requests[sent:]):
                await pilot.pause(0.01)
            if ends_with == "escape":
                await pilot.press("escape")
                shown = flat(await until(pilot, "Whether the probe's group"))
                assert f"group {PREFIX}" in shown
                assert "is left there is unknown" in shown
            else:
                await pilot.press("q")
    (target,) = app.check_runner.probes_under_way
    app.run = lambda: None  # type: ignore[method-assign]
    dashboard.run_app(app)
    said = capsys.readouterr().err
    assert f"whether the probe's group {target.write_probe} is left there is unknown" in said
    assert "stacktui check --remove-leftovers" in said


async def test_what_earlier_ones_left_is_deleted_by_f(stamp: RunningStamp, config: Path) -> None:
    old, ours = f"{PREFIX}old", f"{PREFIX}others"
    await created(stamp, old, **{TAG: LONG_AGO})
    await created(stamp, ours, env="not ours")
    async with StacktuiApp(config).run_test(size=TALL) as pilot:
        await pilot.press("c")
        shown = await until(pilot, "! probe-leftover")
        assert "f deletes them" in shown
        before = writes(stamp)
        await pilot.press("f")
        shown = flat(await until(pilot, "Delete them?"))
        assert f"deletes {old} made 2026-01-02 03:04 UTC" in shown
        assert ours not in shown
        await pilot.press("escape")
        await until(pilot, "! probe-leftover")
        assert writes(stamp) == before
        await pilot.press("f")
        await until(pilot, "Delete them?")
        stamp.fault_at("DELETE *=401")
        await pilot.press("y")
        shown = flat(await until(pilot, "not all are known to be deleted"))
        assert "401" in shown
        stamp.fault_at()
        await pilot.press("escape", "f")
        await until(pilot, "Delete them?")
        await pilot.press("y")
        await until(pilot, f"Test: deleted: {old}")
        await until(pilot, "Nothing is wrong")
        await settle(pilot)
        assert "probe-leftover" not in text_of(pilot.app)
    assert await row_of(stamp, old) is None
    assert await row_of(stamp, ours) is not None
