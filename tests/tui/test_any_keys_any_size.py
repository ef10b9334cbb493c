"""Random keys and random sizes of the terminal, while checks fail, hang, break and end."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from textual import events
from textual.geometry import Size
from textual.keys import _character_to_key

from stacktui.check.events import CheckBroken, CheckCancelled, CheckEvent, CheckFinished
from stacktui.check.round import Round
from stacktui.check.target import CheckTarget
from stacktui.tui.app import StacktuiApp
from stacktui.tui.check_runner import Engine
from stacktui.tui.check_state import CheckState
from stacktui.tui.live_check import LiveCheck

from . import canned
from .canned import CONFIG, canned_app, describe, replay
from .screen import PATIENCE, text_of

pytestmark = pytest.mark.exhaustive

STEPS = 300
KEYS = (
    *"ccccCCsfyYwatr:1234012340jkgGlLTUxSPi?/q", "space", "enter", "enter", *["escape"] * 6, "tab",
    "shift+tab", "up", "down", "pageup", "pagedown", "ctrl+u", "ctrl+d", "ctrl+p", "backspace", "é",
    "ctrl+e",
)  # fmt: skip
SIZES = ((80, 23), (120, 40), (100, 20), (99, 19), (60, 16), (59, 15), (40, 10), (39, 9), (1, 1))


class Chance:
    """An engine whose checks fail, succeed, hang or break, as the dice fall."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def run(self, target: CheckTarget) -> AsyncGenerator[CheckEvent, None]:
        events = self._dice.choice(
            (
                canned.events_of(canned.UNTRUSTED),
                canned.events_of(canned.HEALTHY),
                canned.waiting_for_first_byte(),
                None,
            )
        )
        return _broken() if events is None else replay(events)


class ChanceRound:
    """A round of such checks, all at once."""

    def __init__(self, chance: Chance, targets: Sequence[CheckTarget]) -> None:
        self._chance = chance
        self._targets = targets
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._events: asyncio.Queue[CheckEvent] = asyncio.Queue()

    def cancel(self, name: str) -> None:
        if name in self._tasks:
            self._tasks[name].cancel()

    async def __aiter__(self) -> AsyncIterator[CheckEvent]:
        for target in self._targets:
            name = target.environment.name
            self._tasks[name] = asyncio.create_task(self._check(name, target))
        left = len(self._tasks)
        while left:
            event = await self._events.get()
            yield event
            left -= isinstance(event, CheckFinished | CheckCancelled | CheckBroken)

    async def _check(self, name: str, target: CheckTarget) -> None:
        try:
            async for event in self._chance.run(target):
                self._events.put_nowait(replace(event, environment=name))
        except LookupError as error:
            self._events.put_nowait(CheckBroken(str(error), environment=name))
        except asyncio.CancelledError:
            self._events.put_nowait(CheckCancelled(environment=name))


async def _broken() -> AsyncGenerator[CheckEvent, None]:
    raise LookupError("a defect of the engine")
    yield


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.timeout(120)
async def test_nothing_ends_it_and_no_result_is_lost(
    config: Path, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # `w` writes files there
    dice = random.Random(seed)
    chance = Chance(dice)
    engine = Engine(
        chance.run,
        canned.fixable,
        describe,
        lambda targets: cast("Round", ChanceRound(chance, targets)),
    )
    app = canned_app(config, text=CONFIG)
    app.check_runner._load = lambda: engine
    told: dict[str, LiveCheck] = {}
    states: set[CheckState] = set()
    on_state = app.check_runner._on_state

    def remember(live: LiveCheck) -> None:
        told[live.target.environment.name] = live
        states.add(live.state)
        on_state(live)

    app.check_runner._on_state = remember
    app.exit = lambda *_, **options: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 23)) as pilot:
        for step in range(STEPS):
            if dice.random() < 0.15:
                resize(app, dice.choice(SIZES))
            else:
                press(app, dice.choice(KEYS))
            await asyncio.sleep(dice.choice((0, 0, 0.01)))
            if step % 20 == 0:
                assert "internal error while drawing" not in text_of(app)
        resize(app, (80, 23))
        while len(app.screen_stack) > 1:
            app.pop_screen()
            await asyncio.sleep(0.05)
        await pilot.pause(0.2)
        async with asyncio.timeout(PATIENCE):  # what keys a form took, no check had
            while CheckState.FINISHED not in states:
                press(app, "escape")
                press(app, "c")
                await asyncio.sleep(0.05)
        await pilot.pause(0.2)
        assert app._exception is None
        assert app.app_state.checks == told
        del app.exit


def press(app: StacktuiApp, key: str) -> None:
    name = _character_to_key(key) if len(key) == 1 else key
    app.post_message(events.Key(name, key if len(key) == 1 else None))


def resize(app: StacktuiApp, size: tuple[int, int]) -> None:
    assert app._driver is not None
    app._driver._size = size
    app.post_message(events.Resize(Size(*size), Size(*size)))
