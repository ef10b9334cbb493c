"""`stacktui check`: the connectivity check, headless."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import click

from stacktui.check.settings import load_settings
from stacktui.check.trust import preload_trust
from stacktui.cli.main import ExitCode, config_option
from stacktui.config.locations import config_file

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to write the result to stdout.",
)


@click.command()
@click.argument("name", required=False)
@format_option
@config_option
@click.pass_obj
def command(parent: Path | None, name: str | None, format_: str, config: Path | None) -> None:
    """Check the connection to environment NAME (default: the active one).

    Fetches the metadata, requests a token and lists the resource groups, in this order; says
    what is wrong, whose side it is on and how to mend it. Exits with 0 when healthy, 1 when a
    fault was found, 2 on wrong usage or config, 3 on an error of our own.
    """
    click.get_current_context().exit(check_headless(config_file(config or parent), name, format_))


def check_headless(path: Path, name: str | None, format_: str) -> int:
    """Run one check and write its result; the exit code."""
    settings = load_settings(path)
    for warning in settings.warnings:
        click.echo(f"stacktui: {warning}", err=True)
    target = settings.target(name)
    # OpenSSL reads the trusted certificates without the interpreter's lock, so that this is done
    # by the time the imports below are; the check finds the context ready or waits for it.
    threading.Thread(target=preload_trust, args=(target,), daemon=True).start()
    from stacktui.check.events import CheckFinished
    from stacktui.check.pipeline import run
    from stacktui.cli.text import TextWriter

    writer = TextWriter() if format_ == "text" else None

    async def consume() -> int:
        async for event in run(target):
            if writer is not None:
                writer.write(event)
            if isinstance(event, CheckFinished):
                from stacktui.diagnosis import diagnose

                diagnosis = diagnose(event.report)
                if writer is not None:
                    writer.write_diagnosis(diagnosis)
                else:
                    from stacktui.diagnosis.document import report_document

                    click.echo(json.dumps(report_document(event.report, diagnosis)))
                return ExitCode.HEALTHY if event.report.ok else ExitCode.FAULT
        raise AssertionError("a check ends with CheckFinished")

    return asyncio.run(consume())
