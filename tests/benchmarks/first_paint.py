"""First paint of the dashboard on a pty at 120x40, against the smallest Textual app.

    python -m tests.benchmarks.first_paint

Prints medians of 9 runs, taken in turns so that both meet the same machine: time from the start
of the process until the first frame is written, peak memory once it has come to rest, bytes
written until then, and bytes written in the two seconds after that. Byte code is cached beforehand,
as an installed package has it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from tests.tui.canned import CONFIG
from tests.tui.terminal import Terminal

RUNS = 9
REST = 1.5


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a program: seconds, KiB, bytes, bytes."""

    first_paint: float
    memory: int
    written: int
    idle: int


def start(command: Sequence[str], environ: Mapping[str, str], first: str) -> Start:
    begun = monotonic()
    with Terminal(command, environ) as terminal:
        terminal.until(first)
        painted = monotonic() - begun
        terminal.rest(REST)
        written = len(terminal.written)
        idle = len(terminal.read(2.0))
        return Start(painted, terminal.peak_memory(), written, idle)


def measure(folder: Path) -> tuple[list[Start], list[Start]]:
    config = folder / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
    }
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    ours = [sys.executable, "-m", "stacktui", "--config", str(config)]
    smallest = [sys.executable, "-m", "tests.benchmarks.smallest_app"]
    for command, first in ((smallest, "row 3"), (ours, "Environments")):
        start(command, environ, first)
    pairs = [
        (start(smallest, environ, "row 3"), start(ours, environ, "Environments"))
        for _ in range(RUNS)
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        smallest, ours = measure(Path(folder))
    print(f"{'':26}{'smallest app':>14}{'stacktui':>12}{'ratio':>8}{'bound':>8}")
    for what, scale, unit, bound in (
        ("first_paint", 1000, "ms", "1.2"),
        ("memory", 1 / 1024, "MiB", "1.6"),
        ("written", 1 / 1024, "KiB", "32 KiB"),
        ("idle", 1, "bytes", "0"),
    ):
        less = median(getattr(each, what) for each in smallest) * scale
        more = median(getattr(each, what) for each in ours) * scale
        ratio = f"{more / less:.2f}" if less else "-"
        label = f"{what.replace('_', ' ')} ({unit})"
        print(f"{label:26}{less:14.1f}{more:12.1f}{ratio:>8}{bound:>8}")


if __name__ == "__main__":
    main()
