"""What the benchmarks share: a stamp in a process of its own, medians, and a table of ratios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from stacktui.certificates.trust import BASE_VARIABLES

LATENCY = 0.02
RUNS = 9


@contextmanager
def stamp_process(*options: str) -> Iterator[dict[str, Any]]:
    """A stamp that answers after 20 ms; gives what it prints."""
    command = [sys.executable, "-m", "stacktui", "stamp", "--latency", str(LATENCY), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def write_config(folder: Path, stamp: Mapping[str, Any]) -> Path:
    """A config for the stamp, as its user would write it."""
    path = folder / "config.toml"
    path.write_text(
        f"""active = "Bench"
[environments.Bench]
arm = "{stamp["arm_url"]}"
identity = "bench"
subscription = "{stamp["subscription_id"]}"
ca = "{stamp["ca_file"]}"
proxy = "none"
[identities.bench]
kind = "service-principal"
tenant = "{stamp["tenant"]}"
client_id = "{stamp["client_id"]}"
secret = {{ file = "{stamp["secret_file"]}" }}
""",
        encoding="utf-8",
    )
    return path


def clean_environment() -> dict[str, str]:
    """The environment without what would change which certificates are read."""
    unwanted = set(BASE_VARIABLES)
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def alternate(runs: int, *works: Callable[[], object]) -> list[float]:
    """The median seconds of each, run in turn A B A B … after one warm-up."""
    for work in works:
        work()
    seconds = [[timed(work) for work in works] for _ in range(runs)]
    return [median(column) for column in zip(*seconds, strict=True)]


def row(name: str, ours: float, theirs: float, bound: float) -> None:
    """One line: both medians, their ratio, and the bound it is held to."""
    ratio = ours / theirs
    word = "within" if ratio <= bound else "ABOVE"
    print(
        f"{name:<44} {ours * 1000:8.1f} ms {theirs * 1000:8.1f} ms "
        f"ratio {ratio:6.3f}  {word} {bound:.3f}"
    )
