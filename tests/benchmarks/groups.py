"""The speed of lists: `python -m tests.benchmarks.groups [--az PATH]`. Prints, asserts no time.

10,000 resource groups in 10 pages, each answer after 20 ms. Each row is a ratio within one run:
ours, a bare httpx client's, and the bound it is held to.
"""

from __future__ import annotations

import asyncio
import resource
import ssl
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from tests.benchmarks.bare_groups import bare_client, bare_pages, bare_token
from tests.benchmarks.measure import (
    RUNS,
    alternate,
    az_environment,
    az_option,
    az_sign_in,
    bare_script,
    console_script,
    own_folder,
    row,
    run_quietly,
    stamp_process,
    write_config,
)

GROUPS, PAGE = 10_000, 1_000
MOST_MEMORY = 120


def in_one_process(stamp: dict[str, Any], config: Path) -> None:
    """First page and whole list, with the token in memory and a connection that is open.

    Ours reads each row for display, as a pane does; the bare client leaves them as JSON.
    """
    from stacktui.check.settings import load_settings
    from stacktui.identities.token_source import SignIn, TokenSource
    from stacktui.resources.connection import open_arm
    from stacktui.resources.groups import group_pages

    target = load_settings(config).target()
    assert target.identity is not None
    wanted = SignIn(target.environment, target.identity, target.config)

    async def compare() -> list[list[float]]:
        context = ssl.create_default_context(cafile=stamp["ca_file"])
        async with bare_client(context) as bare, open_arm(wanted, TokenSource()) as client:
            token = await bare_token(bare, stamp)
            seconds = []
            for _ in range(2 * RUNS):
                ours = await _first_and_all(group_pages(client, stamp["subscription_id"]))
                theirs = await _first_and_all(bare_pages(bare, stamp, token))
                seconds.append([*ours, *theirs])
            return seconds[1:]  # the first is the warm-up

    columns = zip(*asyncio.run(compare()), strict=True)
    first, whole, bare_first, bare_whole = map(median, columns)
    row("first page, warm / bare client", first, bare_first, 1.3)
    row("all pages, warm / bare client", whole, bare_whole, 1.3)
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of that process: {mebibytes:.0f} MiB, at most {MOST_MEMORY}")


async def _first_and_all(pages: AsyncIterator[Iterable[object]]) -> tuple[float, float]:
    """Return the seconds to the first page, and to the last one."""
    began, first, rows = perf_counter(), 0.0, 0
    async for page in pages:
        rows += len(list(page))
        first = first or perf_counter() - began
    assert rows == GROUPS
    return first, perf_counter() - began


def as_processes(stamp: dict[str, Any], ours: list[str], folder: Path) -> None:
    """`groups list` against a script that prints the same lines."""
    script = bare_script("bare_groups.py", stamp, folder)
    found = alternate(RUNS, lambda: run_quietly(ours), lambda: run_quietly(script))
    row("groups list --format jsonl / script", *found, 1.4)
    mebibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"memory of the largest of these: {mebibytes:.0f} MiB, at most {MOST_MEMORY}")


def against_az(stamp: dict[str, Any], ours: list[str], folder: Path, az: str) -> None:
    """`groups list` against a real `az group list` that has signed in before."""
    environment = az_environment(stamp, folder)
    for command in az_sign_in(stamp, "Bench"):
        run_quietly([az, *command], environment)
    found = alternate(
        3, lambda: run_quietly(ours), lambda: run_quietly([az, "group", "list"], environment)
    )
    row("groups list --format jsonl / az group list", *found, 1 / 4)


def main() -> None:
    az = az_option(__doc__)
    options = ("--groups", str(GROUPS), "--page-size", str(PAGE))
    with own_folder() as folder, stamp_process(*options) as stamp:
        config = write_config(folder, stamp)
        ours = console_script("groups", "list", "--format", "jsonl", "--config", str(config))
        in_one_process(stamp, config)
        as_processes(stamp, ours, folder)
        if az:
            against_az(stamp, ours, folder, az)


if __name__ == "__main__":
    main()
