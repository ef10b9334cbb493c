"""The speed of the check: `python -m tests.benchmarks.check [--az PATH]`. Prints, asserts no time.

Each row is a ratio within one run: ours, the yardstick's, and the bound it is held to.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from itertools import count
from pathlib import Path

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
from tests.benchmarks.three_requests import three_requests


def engine(idp: str) -> None:
    """The engine in a warm process against three bare requests."""
    from stacktui.check.events import CheckFinished
    from stacktui.check.runner import run
    from stacktui.check.settings import load_settings

    with stamp_process("--idp", idp) as stamp, tempfile.TemporaryDirectory() as folder:
        target = load_settings(write_config(Path(folder), stamp)).target()
        context = ssl.create_default_context(cafile=stamp["ca_file"])

        async def check() -> None:
            async for event in run(target):
                if isinstance(event, CheckFinished) and not event.report.ok:
                    raise RuntimeError(f"the check failed: {event.report.failed}")

        with asyncio.Runner() as runner:
            ours, theirs = alternate(
                3 * RUNS,
                lambda: runner.run(check()),
                lambda: three_requests(stamp, context),
            )
    row(f"engine, warm, {idp} / three requests", ours, theirs, 1.3)


def process(idp: str) -> None:
    """`stacktui check` as a process against a Python process with the three requests."""
    with stamp_process("--idp", idp) as stamp, tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder), stamp)
        script = bare_script("three_requests.py", stamp, Path(folder))
        ours, theirs = alternate(
            RUNS,
            lambda: run_quietly(console_script("check", "--config", str(config))),
            lambda: run_quietly(script),
        )
    row(f"stacktui check, {idp} / script", ours, theirs, 5.0)


def against_az(az: str, idp: str) -> None:
    """`stacktui check` against the same questions put to a real az, warm."""
    with stamp_process("--idp", idp) as stamp, tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder), stamp)
        environment = az_environment(stamp, Path(folder))
        clouds = count()

        def with_az() -> None:
            for command in az_sign_in(stamp, f"Bench{next(clouds)}"):
                run_quietly([az, *command], environment)
            run_quietly([az, "group", "list", "-o", "none"], environment)

        ours, theirs = alternate(
            7, lambda: run_quietly(console_script("check", "--config", str(config))), with_az
        )
    row(f"stacktui check, {idp} / az 2.66", ours, theirs, 1 / 8)


def main() -> None:
    az = az_option(__doc__)
    with own_folder():
        for idp in ("aad", "adfs"):
            engine(idp)
            process(idp)
        if az:
            against_az(az, "aad")


if __name__ == "__main__":
    main()
