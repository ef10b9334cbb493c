"""A round of many checks: `python -m tests.benchmarks.round [--count N]`. Prints, asserts no time.

The stamp waits 50 ms before each answer. The yardstick is one check, times the checks that fit
beside each other; all figures are of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from stacktui.check.events import CheckFinished
from stacktui.check.round import CONCURRENCY, Round
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.target import CheckTarget
from stacktui.diagnosis import diagnose
from tests.benchmarks.measure import own_folder, stamp_process, write_config
from tests.support.authority import issue

LATENCY = 0.05
# Seconds between two looks at the clock of the event loop.
_BEAT = 0.005


async def check(target: CheckTarget) -> float:
    began = time.perf_counter()
    async for event in run(target):
        if isinstance(event, CheckFinished) and not event.report.ok:
            raise RuntimeError(f"the check failed: {event.report.failed}")
    return time.perf_counter() - began


async def round_of(targets: list[CheckTarget]) -> tuple[float, float]:
    """Return the seconds of a round, and the longest that the event loop was held up."""
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_BEAT)
            worst = max(worst, time.perf_counter() - began - _BEAT)

    watching = asyncio.create_task(beat())
    began = time.perf_counter()
    async for event in Round(targets):
        if isinstance(event, CheckFinished):
            if not event.report.ok:
                raise RuntimeError(f"a check failed: {event.report.failed}")
            diagnose(event.report)
    seconds = time.perf_counter() - began
    watching.cancel()
    return seconds, worst


def targets_of(one: CheckTarget, folder: Path, contents: Iterator[bytes]) -> list[CheckTarget]:
    """Return an environment for each content, which is that of its own `ca` file."""
    found = []
    for number, content in enumerate(contents):
        ca = folder / f"{number}.pem"
        ca.write_bytes(content)
        environment = replace(one.environment, name=f"Stamp {number}", ca=ca)
        found.append(replace(one, environment=environment))
    return found


def peak() -> float:
    """Return the most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    with own_folder() as folder, stamp_process("--latency", str(LATENCY)) as stamp:
        target = load_settings(write_config(folder, stamp)).target()
        root = Path(stamp["ca_file"]).read_bytes()
        with asyncio.Runner() as runner:
            runner.run(check(target))
            gc.freeze()  # as the command does
            one = median(runner.run(check(target)) for _ in range(7))
            before = peak()
            same = targets_of(target, folder, iter([root] * count))
            runner.run(round_of(same))  # records them
            seconds, worst = runner.run(round_of(same))
            memory = peak() - before
            fair = -(-count // CONCURRENCY) * one
            print(f"one check {one * 1000:.0f} ms, {count} of one root {seconds:.2f} s: "
                  f"{seconds / fair:.2f} of {fair:.2f} s (bound 1.3)")  # fmt: skip
            print(f"worst lag of the event loop {worst * 1000:.0f} ms (bound 50 ms)")
            print(f"memory above one check's {memory:.0f} MB (bound 100 MB)")
            others = (root + issue(f"Root {each}", (), None).pem for each in range(count))
            seconds, worst = runner.run(round_of(targets_of(target, folder, others)))
            print(f"{count} different roots {seconds:.2f} s: {seconds / fair:.2f}, "
                  f"worst lag {worst * 1000:.0f} ms (reported)")  # fmt: skip
    sys.stdout.flush()


if __name__ == "__main__":
    main()
