"""The dashboard under load: `python -m tests.benchmarks.dashboard`. Prints, asserts no time.

Bytes: what the program writes to a pty from the key `c` until it rests, the healthy check included.
Keys: the time from a key to the end of the paint that it causes: while a round runs, of a list of
environments, each on one of two stamps; and at rest, while a list is filtered or one is edited.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from textual import events

from tests.benchmarks.measure import clean_environment, stamp_process, write_config
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
                environ = clean_environment() | {
                    "TERM": term,
                    "COLORTERM": colorterm,
                    "LANG": "C.UTF-8",
                    "HOME": str(folder),
                    "XDG_CONFIG_HOME": str(folder),
                    "TMUX": "",
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                }
                environ.pop("NO_COLOR", None)
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
        await _keys(app, f"{count} environments, filtering", cycle(typed))
        await pilot.press("escape", "escape", "e")
        await pilot.pause()
        typed = [*"x.example", *["backspace"] * 9]
        await _keys(app, f"{count} environments, editing one", cycle(typed))


async def _keys(app: Any, what: str, keys: Iterator[str] | None = None) -> None:
    """Press keys, by default those that move the bar, and print the time to each one's paint."""
    keys = keys or cycle([*["j"] * 39, "pagedown"])
    took, spent = [], []
    for key in islice(keys, KEYS):
        await asyncio.sleep(0.02)
        begun, begun_cpu = perf_counter(), thread_time()
        app.post_message(events.Key(key, key if len(key) == 1 else None))
        await painted(app)
        took.append(perf_counter() - begun)
        spent.append(thread_time() - begun_cpu)
    p99 = _p99(took)
    word = "within" if p99 <= KEY_BOUND else "ABOVE"
    print(
        f"key to paint, {what}: median {sorted(took)[KEYS // 2] * 1000:.1f} ms, "
        f"99th percentile {p99 * 1000:.1f} ms  {word} {KEY_BOUND * 1000:.0f} ms  "
        f"(CPU of the thread {sum(spent) / KEYS * 1000:.1f} ms, 99th {_p99(spent) * 1000:.1f} ms)"
    )


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


async def painted(app: Any) -> None:
    """Wait until the key has been handled, and what it changed has been painted."""
    screen = app.screen
    shown = app.dashboard.grid.environments if screen is app.dashboard else screen.focused
    for pump in (app, shown or screen, screen):
        done = asyncio.Event()
        pump.call_later(done.set)
        await done.wait()
    done = asyncio.Event()
    screen.call_after_refresh(done.set)
    await done.wait()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            os.environ.pop(name, None)
        asyncio.run(keys_of_a_config(listing(Path(folder), 500), 500))
        bytes_of_a_check(Path(folder))
        with stamp_process() as healthy, stamp_process("--fault", "arm-forbidden") as fault:
            for count in (500, 10_000):
                asyncio.run(keys_in_a_round(Path(folder), [healthy, fault], count))


if __name__ == "__main__":
    main()
