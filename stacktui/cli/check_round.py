"""`stacktui check` of several environments: run them, and write what came of each."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from stacktui.check.events import CheckBroken, CheckFinished
from stacktui.check.history_reader import HistoryReader
from stacktui.check.history_writer import HistoryWriter
from stacktui.check.round import Round
from stacktui.check.settings import Settings
from stacktui.check.target import CheckTarget
from stacktui.cli.options import ExitCode
from stacktui.cli.output import encodable, warn
from stacktui.cli.round_output import RoundProgress, RoundText
from stacktui.cli.write_probe import Probing
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import SCHEMA, report_document
from stacktui.diagnosis.markdown import report_markdown, round_table
from stacktui.diagnosis.round import CheckResult
from stacktui.diagnosis.summarise import summarise
from stacktui.transport.background import in_background


def check_round(
    settings: Settings,
    names: Sequence[str],
    format_: str,
    concurrency: int,
    probing: Probing | None = None,
) -> ExitCode:
    """Check these environments at once, write the result and return the largest exit code."""
    # What the imports allocated stays: to search it for garbage would hold up all checks.
    gc.freeze()
    probing = probing or Probing()
    with probing.watched():
        return asyncio.run(_check_round(settings, names, format_, concurrency, probing))


async def _check_round(
    settings: Settings, names: Sequence[str], format_: str, concurrency: int, probing: Probing
) -> ExitCode:
    began = time.monotonic()
    targets: list[CheckTarget] = []
    results: dict[str, CheckResult] = {}
    text = RoundText(names) if format_ == "text" else None
    progress = RoundProgress(names)

    def ended(result: CheckResult) -> None:
        results[result.name] = result
        progress.clear()
        if text is not None:
            text.line(result)
        elif format_ == "jsonl":
            click.echo(json.dumps(_document(result)))
            sys.stdout.flush()
        progress.show_results(results)

    for name in names:
        if (error := settings.errors.get(name)) is not None:
            ended(CheckResult(name, error=str(error), unusable=True, brief=error.message))
        else:
            targets.append(probing.on(settings.target(name)))
    before, by_name = HistoryReader(targets), {each.environment.name: each for each in targets}
    told: list[str] = []
    history = HistoryWriter(told.append)
    try:
        async for event in Round(targets, concurrency):
            probing.see(event)
            match event:
                case CheckFinished(environment=name, report=report):
                    diagnosis = diagnose(report)
                    summary = summarise(report, diagnosis, event.run_id)
                    since = await before.since(summary)
                    history.add(by_name[name], summary)
                    ended(CheckResult(name, report, diagnosis, since))
                case CheckBroken(environment=name, error=what):
                    ended(CheckResult(name, error=what))
    finally:
        progress.clear()
        await in_background(history.close)
    for warning in told:
        warn(warning)
    found = [results[name] for name in names]
    seconds = time.monotonic() - began
    match format_:
        case "json":
            document = {
                "schema": SCHEMA,
                "ok": not any(each.ok is False for each in found),
                "seconds": round(seconds, 6),
                "checks": [_document(each) for each in found],
            }
            click.echo(json.dumps(document))
        case "markdown":
            parts = [round_table(found, seconds)]
            parts += [
                report_markdown(each.report, each.diagnosis, each.since)
                for each in found
                if each.report is not None and each.diagnosis is not None and each.ok is False
            ]
            click.echo(encodable("\n".join(parts)), nl=False)
        case "text" if text is not None:
            text.close(found, seconds)
    return max((exit_code(each) for each in found), default=ExitCode.HEALTHY)


def exit_code(result: CheckResult) -> ExitCode:
    """Return what the exit code of a check with this result is."""
    if result.error:
        return ExitCode.USAGE if result.unusable else ExitCode.OURS
    return ExitCode.FAULT if result.ok is False else ExitCode.HEALTHY


def _document(result: CheckResult) -> dict[str, Any]:
    if result.report is not None and result.diagnosis is not None:
        return report_document(result.report, result.diagnosis, result.since)
    return {
        "schema": SCHEMA,
        "environment": result.name,
        "ok": False,
        "verdict": None,
        "steps": [],
        "error": {"message": result.error},
    }
