"""Checks of several environments side by side, on the real dashboard against real stamps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual.pilot import Pilot

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from stacktui.tui.check_state import CheckState
from tests.product import config_text

from .screen import PATIENCE, flat, resize, text_of, until, write

WIDE = (120, 40)
Stamps = Mapping[str, RunningStamp]
Configure = Callable[..., None]
UNUSABLE = '[environments.Bad]\narm = "http://management.bad.example"\n'


@pytest.fixture(scope="module")
def stamps() -> Iterator[Stamps]:
    """A stamp that is well, one with a fault, and one that answers after 30 s."""
    options = {
        "ok": StampOptions(),
        "fault": StampOptions(fault="arm-forbidden"),
        "slow": StampOptions(latency=30.0),
    }
    with ExitStack() as stack:
        yield {name: stack.enter_context(run_in_thread(each)) for name, each in options.items()}


@pytest.fixture
def configure(config: Path, stamps: Stamps) -> Configure:
    """Return a function that writes a config: environments by name, each on one of the stamps."""

    def configured(more: str = "", /, **environments: str) -> None:
        parts = [f'active = "{next(iter(environments))}"\n']
        texts = {kind: config_text(stamp.describe()) for kind, stamp in stamps.items()}
        for name, kind in environments.items():
            _, _, table = texts[kind].partition("[environments.Test")
            table, _, _ = table.partition("[identities.")
            table = table.replace('identity = "tester"', f'identity = "{kind}"')
            parts.append(f"[environments.{name}{table}")
        for kind in set(environments.values()):
            _, _, table = texts[kind].partition("[identities.tester")
            parts.append(f"[identities.{kind}{table}")
        write(config, "".join(parts) + more)

    return configured


async def ended(pilot: Pilot[None], app: StacktuiApp) -> str:
    """Wait until no check runs, and return the screen."""
    deadline = monotonic() + PATIENCE
    while app.check_runner.running:
        assert monotonic() < deadline
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.15)
    await pilot.pause()
    return text_of(app)


def states(app: StacktuiApp) -> dict[str, CheckState]:
    return {name: check.state for name, check in app.app_state.checks.items()}


async def test_a_round_checks_all_that_can_be_checked(configure: Configure, config: Path) -> None:
    configure(UNUSABLE, A="ok", B="fault", C="ok")
    app = StacktuiApp(config)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("C")
        shown = await ended(pilot, app)
        assert "4 · 2 ok · 1 fault · 1 unusable" in shown
        for said in ("● A ", "✗ arm-forbidden", "✗ unusable", "Nothing is wrong."):
            assert said in shown, said
        assert set(states(app)) == {"A", "B", "C"}
        await pilot.press("s")
        lines = text_of(app).splitlines()
        places = {name: next(y for y, row in enumerate(lines) if f" {name}  " in row)
                  for name in ("A", "B", "C", "Bad")}  # fmt: skip
        assert sorted(places, key=places.__getitem__) == ["B", "Bad", "A", "C"]
        assert "broken first" in lines[1]
        await pilot.press("s", "slash", *"forbid", "enter")
        assert "1 of 1" in text_of(app)


async def test_an_environment_that_cannot_be_used_has_its_reason(
    configure: Configure, config: Path
) -> None:
    configure(UNUSABLE, A="ok")
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("G")
        shown = flat(await until(pilot, "why"))
        assert shown.count("must be https, not http") >= 2
        await pilot.press("c")
        shown = text_of(app).splitlines()[-1]
        assert "environments.Bad.arm" in shown
        assert not app.check_runner.running
        assert not app.app_state.checks
        await pilot.press("space", "0", "enter", "escape", "2", "l", "1", "f", "y")
        assert "Bad" in text_of(app)


@pytest.mark.parametrize("size", [WIDE, (80, 23)])
async def test_a_round_shows_step_and_seconds_and_esc_twice_cancels_it(
    configure: Configure, config: Path, size: tuple[int, int]
) -> None:
    configure(A="ok", B="slow", C="slow", D="fault")
    app = StacktuiApp(config)
    async with app.run_test(size=size) as pilot:
        await pilot.press("C")
        await until(pilot, "✗ arm-forbidden")
        shown = await until(pilot, " 2 s ")
        assert shown.count("› metadata") >= 2
        assert "1 ✗ · 2 ›" in shown
        # Of an environment whose check has ended, `esc` cancels nothing yet.
        await pilot.press("escape")
        shown = text_of(app)
        assert "2 checks under way: esc again within 1.5 s cancels all" in shown
        assert app.check_runner.running == 2
        await pilot.press("j")
        await pilot.press("escape")
        await until(pilot, "cancelled")
        found = states(app)
        assert found["A"] is CheckState.FINISHED
        assert found["D"] is CheckState.FINISHED
        assert found["B"] is found["C"] is CheckState.CANCELLED
        assert "✓ ok" in text_of(app)


async def test_esc_cancels_the_check_on_screen_and_no_other(
    configure: Configure, config: Path
) -> None:
    configure(A="slow", B="slow")
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("c", "j", "c")
        await until(pilot, "waiting for first byte")
        assert app.check_runner.running == 2, "a check elsewhere leaves the first alone"
        before = app.app_state.checks["A"]
        await pilot.press("c")
        await until(pilot, "waiting for first byte")
        assert app.check_runner.running == 2
        assert app.app_state.checks["A"] is before, "only the one on screen starts anew"
        await pilot.press("escape")
        shown = await until(pilot, "cancelled  press c")
        assert "1 check under way" in shown
        assert states(app) == {"A": CheckState.RUNNING, "B": CheckState.CANCELLED}
        (seen,) = (each for each in shown.splitlines() if "· metadata" in each)
        assert " tls " in seen, "what was seen of the cancelled step stays"
        await asyncio.sleep(1.6)
        await pilot.press("escape")
        assert app.check_runner.running == 1, "too late for the second time"
        await pilot.press("escape")
        assert not app.check_runner.running


async def test_a_single_check_takes_its_environment_out_of_the_round(
    configure: Configure, config: Path
) -> None:
    configure(A="slow", B="slow", C="ok")
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("C")
        await until(pilot, "✓ ok")
        await pilot.press("c")
        await until(pilot, "waiting for first byte")
        checks = app.app_state.checks
        assert checks["A"].attended
        assert not checks["B"].attended
        await pilot.press("C")
        assert "all are being checked already" in text_of(app)
        await pilot.press("escape", "escape")
        assert set(states(app).values()) == {CheckState.CANCELLED, CheckState.FINISHED}
        await pilot.press("C")
        await until(pilot, "› metadata")
        assert app.check_runner.running >= 2
        await pilot.press("q")


async def test_a_check_that_waits_for_its_turn_leaves_the_last_one(
    configure: Configure, config: Path
) -> None:
    many = {f"S{number:02}": "slow" for number in range(18)}
    configure(**many, Last="ok")
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("G", "c")
        await until(pilot, "Nothing is wrong.")
        known = app.app_state.checks["Last"]
        await pilot.press("C")
        await until(pilot, "16 running")
        await until(pilot, "· queued")
        assert app.check_runner.running == 19
        for size in ((80, 23), (40, 10), WIDE):
            await resize(pilot, *size)
            await pilot.pause()
            assert "internal error" not in text_of(app)
        await pilot.press("escape", "escape")
        await until(pilot, "Nothing is wrong.")
        assert app.app_state.checks["Last"] is known


async def test_events_are_shown_ten_times_a_second_at_most(
    configure: Configure, config: Path
) -> None:
    configure(**{f"S{number:02}": ("ok", "fault")[number % 2] for number in range(30)})
    app = StacktuiApp(config)
    async with app.run_test(size=WIDE) as pilot:
        updates: list[float] = []
        update = app.dashboard.grid.environments.update

        def counted(*arguments: Any) -> None:
            updates.append(monotonic())
            update(*arguments)

        app.dashboard.grid.environments.update = counted  # type: ignore[method-assign]
        begun = monotonic()
        await pilot.press("C")
        await ended(pilot, app)
        seconds = monotonic() - begun
        assert len(updates) <= 10 * seconds + 2
        gaps = [after - before for before, after in pairwise(updates)]
        assert min(gaps) >= 0.09
        seen = len(updates)
        await asyncio.sleep(1.3)
        assert len(updates) == seen, "nothing is shown while nothing changes"
