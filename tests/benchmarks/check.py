"""The speed of the check: `python -m tests.benchmarks.check [--az PATH]`. Prints, asserts no time.

Each row is a ratio within one run: ours, the yardstick's, and the bound it is held to.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from stacktui.certificates.trust import BASE_VARIABLES
from tests.benchmarks.measure import (
    RUNS,
    alternate,
    clean_environment,
    row,
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
        described = Path(folder) / "stamp.json"
        described.write_text(json.dumps(stamp), encoding="utf-8")
        script = Path(__file__).with_name("three_requests.py")
        ours, theirs = alternate(
            RUNS,
            lambda: _run(_stacktui("check", "--config", str(config))),
            lambda: _run([sys.executable, str(script), str(described)]),
        )
    row(f"stacktui check, {idp} / script", ours, theirs, 5.0)


def against_az(az: str, idp: str) -> None:
    """`stacktui check` against the same questions put to a real az, warm."""
    with stamp_process("--idp", idp) as stamp, tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder), stamp)
        environment = clean_environment() | {
            "AZURE_CONFIG_DIR": f"{folder}/azure",
            "HOME": folder,
            "REQUESTS_CA_BUNDLE": stamp["ca_file"],
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
        }

        clouds = count()

        def with_az() -> None:
            for command in _az_commands(stamp, f"Bench{next(clouds)}"):
                _run([az, *command], environment)

        ours, theirs = alternate(
            7, lambda: _run(_stacktui("check", "--config", str(config))), with_az
        )
    row(f"stacktui check, {idp} / az 2.66", ours, theirs, 1 / 8)


def _az_commands(stamp: dict[str, Any], cloud: str) -> list[list[str]]:
    tenant = "adfs" if stamp["idp"] == "adfs" else stamp["tenant"]
    secret = f"--password={stamp['secret']}"
    return [
        ["cloud", "register", "-n", cloud, "--endpoint-resource-manager", stamp["arm_url"]],
        ["cloud", "set", "-n", cloud],
        ["cloud", "update", "--profile", "2020-09-01-hybrid"],
        ["login", "--service-principal", "-u", stamp["client_id"], secret, "--tenant", tenant],
        ["group", "list", "-o", "none"],
    ]


def _stacktui(*arguments: str) -> list[str]:
    # The console script, as a user's shell finds it.
    return [str(Path(sys.executable).with_name("stacktui")), *arguments]


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    subprocess.run(
        command,
        env=environment or clean_environment(),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--az", default=os.environ.get("STACKTUI_AZ"), help="a real az 2.66")
    arguments = parser.parse_args()
    for name in BASE_VARIABLES:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as ours:
        os.environ["XDG_CONFIG_HOME"] = ours  # what is recorded of these stamps goes with them
        for idp in ("aad", "adfs"):
            engine(idp)
            process(idp)
        if arguments.az:
            against_az(arguments.az, "aad")


if __name__ == "__main__":
    main()
