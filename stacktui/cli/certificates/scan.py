"""Run a scan for a command: endpoints and stores at the same time, progress on stderr."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from stacktui.certificates.matrix import Column, Matrix, build_matrix, load_column
from stacktui.certificates.scan import ScanProgress, ScanResult, scan
from stacktui.certificates.stores import Store
from stacktui.check.target import CheckTarget
from stacktui.check.trust import target_ca_sources


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
    progress = _Progress()
    found: ScanResult | None = None
    try:
        async for event in scan(target.environment, target_ca_sources(target), whole=whole):
            if isinstance(event, ScanProgress):
                progress.show(event)
            else:
                found = event
    finally:
        progress.clear()
        await asyncio.gather(*loading, return_exceptions=True)
    columns: list[Column] = [task.result() for task in loading]
    if found is None:
        raise AssertionError("a scan ends with a ScanResult")
    return ScanAndMatrix(found, build_matrix(found.presented, columns))


class _Progress:
    """A progress line on stderr, erased at the end; nothing if stderr is not a terminal."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def show(self, event: ScanProgress) -> None:
        if self._on:
            text = f"{event.done} of {event.known} hosts, {event.last.endpoint.host}"
            click.echo(f"\r\x1b[K{text[:78]}", err=True, nl=False)

    def clear(self) -> None:
        if self._on:
            click.echo("\r\x1b[K", err=True, nl=False)
