"""Trust on first use where many checks begin at once: every stamp is recorded, by whoever."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from pathlib import Path
from typing import Any

from stacktui.check.events import CheckFinished
from stacktui.check.runner import run
from stacktui.check.target import CheckTarget
from stacktui.config.locations import config_root, stamps_file
from stacktui.environments.model import Environment
from tests.diagnosis.servers import Script, scripted
from tests.support.authority import authority

PROCESSES, CHECKS = 6, 200


def _first_checks(folder: Path, arm: str, names: list[str], gate: Any, reasons: Any) -> None:
    """Check each for the first time, all at once; put why any was not recorded."""

    async def check(name: str) -> str:
        environment = Environment(name, arm, ca=folder / "ca.pem", proxy="none")
        target = CheckTarget(environment, None, config=folder / "config.toml")
        async for event in run(target):
            if isinstance(event, CheckFinished):
                return event.report.unrecorded if event.report.ok else "failed"
        return "not finished"

    async def check_all() -> list[str]:
        return await asyncio.gather(*map(check, names))

    with config_root(folder):
        gate.wait(60)
        reasons.put([each for each in asyncio.run(check_all()) if each])


async def test_200_first_checks_of_6_processes_record_200_stamps(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().root.pem)
    # Not forked of this process, which has threads; what it needs is imported once for all.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__, "stacktui.certificates.same_root"])
    gate, reasons = server.Barrier(PROCESSES), server.Queue()
    names = [f"Stamp {number}" for number in range(CHECKS)]
    async with scripted(Script()) as web:
        processes = [
            server.Process(
                target=_first_checks,
                args=(tmp_path, web.url, names[number::PROCESSES], gate, reasons),
            )
            for number in range(PROCESSES)
        ]
        for each in processes:
            each.start()
        said = [await asyncio.to_thread(reasons.get, timeout=60) for _ in processes]
        for each in processes:
            await asyncio.to_thread(each.join, 60)
    assert said == [[]] * PROCESSES
    with config_root(tmp_path):
        rows = json.loads(stamps_file().read_bytes())["stamps"]
    assert {json.loads(key)[1] for key in rows} == set(names)
    assert all(row["root"] for row in rows.values())
