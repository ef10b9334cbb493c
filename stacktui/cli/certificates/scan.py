"""Running a survey for a command: which environment, progress on stderr, the stores beside it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from stacktui.certificates.matrix import Column, Matrix, judge, load_column
from stacktui.certificates.stores import Store
from stacktui.certificates.survey import Survey, SurveyProgress, survey
from stacktui.check.target import Target
from stacktui.check.trust import trust_of


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A finished survey and its matrix over the stores that were asked for."""

    survey: Survey
    matrix: Matrix


def run_survey(target: Target, stores: Sequence[Store], *, whole: bool) -> Surveyed:
    """Look at the endpoints while the stores load. Ctrl+C ends it."""
    return asyncio.run(_run(target, stores, whole))


async def _run(target: Target, stores: Sequence[Store], whole: bool) -> Surveyed:
    loading = [asyncio.create_task(asyncio.to_thread(load_column, store)) for store in stores]
    progress = _Progress()
    found: Survey | None = None
    async for event in survey(target.environment, trust_of(target), whole=whole):
        if isinstance(event, SurveyProgress):
            progress.show(event)
        else:
            found = event
    progress.clear()
    columns: list[Column] = list(await asyncio.gather(*loading))
    if found is None:
        raise AssertionError("a survey ends with a Survey")
    return Surveyed(found, judge(found.presented, columns))


class _Progress:
    """One line on stderr, gone when the result comes; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def show(self, event: SurveyProgress) -> None:
        if self._on:
            text = f"{event.done} of {event.known} hosts, {event.last.endpoint.host}"
            click.echo(f"\r\x1b[K{text[:78]}", err=True, nl=False)

    def clear(self) -> None:
        if self._on:
            click.echo("\r\x1b[K", err=True, nl=False)
