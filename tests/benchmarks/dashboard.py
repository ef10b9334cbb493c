"""The dashboard under load: `python -m tests.benchmarks.dashboard`. Prints, asserts no time.

Bytes: what the program writes to a pty from the key `c` until it rests, the healthy check included.
Keys: the time from a key to the end of the paint that it causes, while a round runs; of a list of
environments, each on one of two stamps.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from textual import events

from tests.benchmarks.measure import own_folder, stamp_process, terminal_environment, write_config
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
        app.check_all()
        await asyncio.sleep(1.0)
        await _keys(app, f"{count} environments, in a round")
        print(f"    {app.check_runner.running} checks were not done at the end")
        app.check_runner.cancel()


async def _keys(app: Any, what: str) -> None:
    took, begun_cpu = [], thread_time()
    for number in range(KEYS):
        await asyncio.sleep(0.02)
        begun = perf_counter()
        app.post_message(events.Key("pagedown" if number % 40 == 39 else "j", None))
        await painted(app)
        took.append(perf_counter() - begun)
    cpu = (thread_time() - begun_cpu) / KEYS
    took.sort()
    p99 = took[int(len(took) * 0.99)]
    word = "within" if p99 <= KEY_BOUND else "ABOVE"
    print(
        f"key to paint, {what}: median {took[len(took) // 2] * 1000:.1f} ms, "
        f"99th percentile {p99 * 1000:.1f} ms  {word} {KEY_BOUND * 1000:.0f} ms  "
        f"(CPU of the thread {cpu * 1000:.1f} ms a key)"
    )


async def painted(app: Any) -> None:
    """Wait until the key has been handled, and what it changed has been painted."""
    for pump in (app, app.dashboard.grid.environments, app.dashboard):
        done = asyncio.Event()
        pump.call_later(done.set)
        await done.wait()
    done = asyncio.Event()
    app.dashboard.call_after_refresh(done.set)
    await done.wait()


def main() -> None:
    with own_folder() as folder:
        bytes_of_a_check(folder)
        with stamp_process() as healthy, stamp_process("--fault", "arm-forbidden") as fault:
            for count in (500, 10_000):
                asyncio.run(keys_in_a_round(folder, [healthy, fault], count))


if __name__ == "__main__":
    main()
