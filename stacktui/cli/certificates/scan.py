"""Run a scan for a command: endpoints and stores at the same time, progress on stderr."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from stacktui.certificates.matrix import Column, Matrix, build_matrix, load_column
from stacktui.certificates.scan import ScanProgress, ScanResult, scan
from stacktui.certificates.stores import Store
from stacktui.check.target import CheckTarget
from stacktui.check.trust import target_ca_sources
from stacktui.cli.status_line import StatusLine


@dataclass(frozen=True, slots=True)
class ScanAndMatrix:
    """A finished scan and its matrix over the requested stores."""

    scan: ScanResult
    matrix: Matrix


def run_scan(target: CheckTarget, stores: Sequence[Store], *, whole: bool) -> ScanAndMatrix:
    """Scan the endpoints while the stores load. Ctrl+C cancels it."""
    return asyncio.run(_run(target, stores, whole))


async def _run(target: CheckTarget, stores: Sequence[Store], whole: bool) -> ScanAndMatrix:
    loading = [asyncio.create_task(asyncio.to_thread(load_column, store)) for store in stores]
    progress = StatusLine()
    found: ScanResult | None = None
    try:
        async for event in scan(target.environment, target_ca_sources(target), whole=whole):
            if isinstance(event, ScanProgress):
                progress.show(f"{event.done} of {event.known} hosts, {event.last.endpoint.host}")
            else:
                found = event
    finally:
        progress.clear()
        await asyncio.gather(*loading, return_exceptions=True)
    columns: list[Column] = [task.result() for task in loading]
    if found is None:
        raise AssertionError("a scan ends with a ScanResult")
    return ScanAndMatrix(found, build_matrix(found.presented, columns))
