"""The dashboard under load: `python -m tests.benchmarks.dashboard`. Prints, asserts no time.

Bytes: what the program writes to a pty from the key `c` until it rests, the healthy check included.
Keys: the time from a key to the end of the paint that it causes: in a list of environments, each on
one of two stamps, while a round runs; in the list of resource groups while it is being read; and at
rest, while a list of environments is filtered or one is edited. Beside each the same of a bare loop
that is as long as a key at the median: what the machine itself adds.
First rows: from the key that reads the groups to the paint of their first page, beside a client.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from timeit import repeat
from typing import Any

import certifi
from textual import events

from tests.benchmarks.bare_groups import bare_client, bare_pages, bare_token
from tests.benchmarks.groups import GROUPS, PAGE
from tests.benchmarks.measure import (
    RUNS,
    own_folder,
    row,
    stamp_process,
    terminal_environment,
    write_config,
)
from tests.tui.terminal import Terminal

# TERM, COLORTERM, columns, rows, and the most bytes of a check.
TERMINALS = (
    ("screen-256color", "", 80, 24, 8 * 1024),
    ("xterm-256color", "truecolor", 120, 40, 14 * 1024),
)
KEYS = 400
KEY_BOUND = 0.030


def bytes_of_a_check(folder: Path) -> None:
    for term, colorterm, width, height, bound in TERMINALS:
        for name, options in (("healthy", ()), ("fault", ("--fault", "arm-forbidden"))):
            with stamp_process(*options) as stamp:
                config = write_config(folder, stamp)
                environ = terminal_environment(folder, term, colorterm)
                command = [sys.executable, "-m", "stacktui", "--config", str(config)]
                with Terminal(command, environ, width, height) as terminal:
                    terminal.until("Environments")
                    terminal.rest(1.5)
                    first = len(terminal.written)
                    terminal.press("c")
                    terminal.until("Signed in" if name == "healthy" else "arm-forbidden")
                    terminal.rest(1.0)
                    written = len(terminal.written) - first
            word = "within" if written <= bound else "ABOVE"
            what = f"bytes of a check, {name}, {width}x{height} {term} {colorterm}".rstrip()
            print(f"{what:<68} {written:7} (first frame {first:6})  {word} {bound}")


async def keys_in_a_round(folder: Path, stamps: list[Mapping[str, Any]], count: int) -> None:
    """Move the bar of a list of `count` environments while a round checks them."""
    from stacktui.check.settings import load_settings
    from stacktui.tui.app import StacktuiApp

    app = StacktuiApp(write_config(folder, stamps[0]))
    targets = [load_settings(write_config(folder, stamp)).target() for stamp in stamps]
    async with app.run_test(size=(120, 40)) as pilot:
        settings = app.app_state.settings
        assert settings is not None
        environments = {
            f"stamp-{n:05}": replace(targets[n % len(stamps)].environment, name=f"stamp-{n:05}")
            for n in range(count)
        }
        app.app_state.settings = replace(
            settings, environments=environments, names=tuple(environments)
        )
        app.app_state.current = "stamp-00000"
        app.dashboard.grid.environments.choose("stamp-00000")
        app.dashboard.update()
        await pilot.pause()
        await _keys(app, f"{count} environments, at rest")
        begun = perf_counter()
        app.check_all()
        print(f"{count} environments, to begin a round: {(perf_counter() - begun) * 1000:.0f} ms")
        await asyncio.sleep(1.0)
        await _keys(app, f"{count} environments, in a round")
        print(f"    {app.check_runner.running} checks were not done at the end")
        app.check_runner.cancel()


async def keys_while_groups_are_read(folder: Path, stamp: Mapping[str, Any]) -> None:
    """Move, page and filter in the list of groups while it is read, from empty and once more."""
    from stacktui.tui.app import StacktuiApp

    app = StacktuiApp(write_config(folder, stamp))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        pane = app.dashboard.grid.resources
        await _first_rows(app, pane, stamp)
        readings: list[float] = []

        def keep_reading(number: int) -> None:
            if not app.arm_reader.running:
                readings.append(perf_counter())
                if number == 0:  # not before a filter, which needs rows
                    app.app_state.groups.clear()
                app.dashboard.read_groups()

        moves = (*"jjkj", "pagedown", *"jk")
        typed = ("slash", *"tag:env=prod", *["backspace"] * 12, "enter")
        await _keys(app, f"{GROUPS:,} groups, at rest", (*moves, *typed), pane)
        keep_reading(0)
        await _keys(app, f"{GROUPS:,} groups, being read", (*moves, *typed), pane, keep_reading)
        print(f"    {len(readings) - 1} readings came to their end")
        app.arm_reader.cancel()


async def _first_rows(app: Any, pane: Any, stamp: Mapping[str, Any]) -> None:
    """Read the groups from empty, in turn with a bare client: both have a token, and connect."""
    context = ssl.create_default_context(cafile=stamp["ca_file"])
    async with bare_client(context) as bare:
        token = await bare_token(bare, stamp)
    ours, theirs = [], []
    for _ in range(RUNS + 1):
        await _until(lambda: not app.arm_reader.running)
        app.app_state.groups.clear()
        app.dashboard.update()
        begun = perf_counter()
        app.dashboard.read_groups()
        await _until(lambda: pane.chosen is not None)
        await painted(app, pane)
        ours.append(perf_counter() - begun)
        await _until(lambda: not app.arm_reader.running)
        begun = perf_counter()
        context = ssl.create_default_context(cafile=certifi.where())
        context.load_verify_locations(stamp["ca_file"])
        async with bare_client(context) as bare, aclosing(bare_pages(bare, stamp, token)) as pages:
            await anext(pages)
            theirs.append(perf_counter() - begun)
    row("first rows painted / bare client's page", median(ours[1:]), median(theirs[1:]), 1.3)


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what is waited for sets no event
        await asyncio.sleep(0.001)


def listing(folder: Path, count: int) -> Path:
    """List the environments of a config of `count`, which is returned."""
    config = folder / "many.toml"
    tables = (
        f'[environments.stamp-{n:05}]\narm = "https://management.r{n}.example"\n'
        for n in range(count)
    )
    config.write_text("".join(tables), encoding="utf-8")
    command = [sys.executable, "-m", "stacktui", "environments", "list", "--config", str(config)]
    begun = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    print(f"environments list of {count}: {perf_counter() - begun:.2f} s, its start included")
    return config


async def keys_of_a_config(config: Path, count: int) -> None:
    """Filter the list of a config of `count` environments, and edit one of them in its form."""
    from stacktui.tui.app import StacktuiApp

    app = StacktuiApp(config)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("slash")
        typed = [*"stamp-004", *["backspace"] * 9]
        await _keys(app, f"{count} environments, filtering", typed)
        await pilot.press("escape", "escape", "e")
        await pilot.pause()
        typed = [*"x.example", *["backspace"] * 9]
        await _keys(app, f"{count} environments, editing one", typed)


async def _keys(
    app: Any,
    what: str,
    keys: Sequence[str] = (*["j"] * 39, "pagedown"),
    pane: Any = None,
    before: Callable[[int], None] = lambda _number: None,
) -> None:
    """Press the keys in turn, and print the time to each one's paint.

    `before` is called before each, with its number in the sequence.
    """
    took, spent = [], []
    for number, key in islice(cycle(enumerate(keys)), KEYS):
        before(number)
        await asyncio.sleep(0.02)
        begun, begun_cpu = perf_counter(), thread_time()
        app.post_message(events.Key(key, key if len(key) == 1 else None))
        await painted(app, pane)
        took.append(perf_counter() - begun)
        spent.append(thread_time() - begun_cpu)
    p99, bare = _p99(took), _p99(await _bare(median(spent)))
    word = "within" if p99 <= KEY_BOUND else "ABOVE"
    print(
        f"key to paint, {what}: median {sorted(took)[KEYS // 2] * 1000:.1f} ms, "
        f"99th percentile {p99 * 1000:.1f} ms  {word} {KEY_BOUND * 1000:.0f} ms  "
        f"(CPU of the thread {sum(spent) / KEYS * 1000:.1f} ms, 99th {_p99(spent) * 1000:.1f} ms; "
        f"a bare loop of the median's length, 99th {bare * 1000:.1f} ms: {p99 / bare:.2f} of it)"
    )


async def _bare(seconds: float) -> list[float]:
    """Return how long a loop takes that needs `seconds` of this processor: what the machine adds
    to any work of a key's length."""
    rounds = 100_000
    rounds = max(1, round(rounds * seconds / min(repeat(lambda: sum(range(rounds)), number=1))))
    took = []
    for _ in range(KEYS):
        await asyncio.sleep(0.02)
        begun = perf_counter()
        sum(range(rounds))
        took.append(perf_counter() - begun)
    return took


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


async def painted(app: Any, pane: Any = None) -> None:
    """Wait until the key has been handled, and what it changed has been painted."""
    screen = app.screen
    shown = app.dashboard.grid.environments if screen is app.dashboard else screen.focused
    for pump in (app, pane or shown or screen, screen):
        done = asyncio.Event()
        assert pump.call_later(done.set), f"{pump} has been closed"
        await done.wait()
    done = asyncio.Event()
    screen.call_after_refresh(done.set)
    await done.wait()


def main() -> None:
    with own_folder() as folder:
        asyncio.run(keys_of_a_config(listing(folder, 500), 500))
        bytes_of_a_check(folder)
        with stamp_process() as healthy, stamp_process("--fault", "arm-forbidden") as fault:
            for count in (500, 10_000):
                asyncio.run(keys_in_a_round(folder, [healthy, fault], count))
        with stamp_process("--groups", str(GROUPS), "--page-size", str(PAGE)) as stamp:
            asyncio.run(keys_while_groups_are_read(folder, stamp))


if __name__ == "__main__":
    main()
