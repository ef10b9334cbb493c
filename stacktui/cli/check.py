"""`stacktui check`: the connectivity check, headless."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stacktui.check.settings import load_settings
from stacktui.check.trust import preload_trust
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import (
    ConfigSource,
    ExitCode,
    examples,
    round_format_option,
    talks_to_stamp,
)
from stacktui.cli.output import encodable, warn
from stacktui.cli.secrets import ask_secret, ask_secrets
from stacktui.cli.settings import require_writable
from stacktui.text.counts import count_of

if TYPE_CHECKING:
    from stacktui.check.report import Report
    from stacktui.check.streak import Since
    from stacktui.check.summary import CheckSummary
    from stacktui.cli.write_probe import Probing
    from stacktui.diagnosis.finding import Diagnosis


def _print_schema(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from stacktui.diagnosis.document import schema_text

    click.echo(schema_text(), nl=False)
    context.exit()


@click.command(epilog=examples("stacktui check West", "stacktui check --all --format json"))
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=environment_names)
@click.option("--all", "all_", is_flag=True, help="Check every environment of the config.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    help="The most checks at once, of several.",
)
@round_format_option
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema (2020-12) of --format json and exit.",
)
@click.option(
    "--write-probe",
    is_flag=True,
    help="Also make a resource group, read it and delete it: who gives this option agrees.",
)
@click.option(
    "--remove-leftovers",
    is_flag=True,
    help="Also delete the groups that write probes left: tagged as ours, 15 minutes old, empty.",
)
@yes_option
@talks_to_stamp
def command(
    source: ConfigSource,
    names: tuple[str, ...],
    all_: bool,
    concurrency: int,
    format_: str,
    write_probe: bool,
    remove_leftovers: bool,
    yes: bool,
) -> None:
    """Check the connection to environment NAME (default: the active one).

    Fetches the metadata, requests a token and lists the resource groups, in this order. Prints
    what is wrong, whose side it is on and how to fix it. Exits with 0 if healthy, 1 if a fault was
    found, 2 on wrong usage or config, 3 on an internal error or where this machine lacks memory,
    threads, descriptors or disk space; of several checks, with the largest.
    """
    if all_ and names:
        raise click.UsageError("name environments, or say --all")
    probing = None
    if write_probe or remove_leftovers:
        from stacktui.cli.write_probe import Probing

        require_writable(source)
        probing = Probing(write_probe, remove_leftovers)
    if not all_ and len(names) < 2 and format_ != "jsonl":
        name = names[0] if names else None
        summary = check_headless(source.path, name, format_, source.limits, probing)
        click.get_current_context().exit(exit_code_of(summary))
    settings = load_settings(source.path, source.limits)
    for warning in settings.warnings:
        warn(warning)
    if not settings.names:
        settings.target()  # raises why there is none
    wanted = settings.names if all_ else names or (settings.target().environment.name,)
    for name in wanted:
        if name not in settings.errors:
            settings.target(name)  # a wrong name stops all: it is a mistake, not a finding
    if all_ and probing:
        what = "make and delete a resource group" if write_probe else "delete what probes left"
        confirm(f"{what} in {count_of(len(wanted), 'environment')}?", yes=yes)
    from stacktui.cli.check_round import check_round

    settings = ask_secrets(settings, wanted)
    code = check_round(settings, tuple(dict.fromkeys(wanted)), format_, concurrency, probing)
    click.get_current_context().exit(code)


def exit_code_of(summary: CheckSummary) -> int:
    """Return the exit code of a check; one that is undecided found no fault."""
    return ExitCode.FAULT if summary.ok is False else ExitCode.HEALTHY


def check_headless(
    path: Path,
    name: str | None,
    format_: str,
    limits: Mapping[str, float],
    probing: Probing | None = None,
) -> CheckSummary:
    """Run one check, write its result and sum it up. Raises ConfigError."""
    settings = load_settings(path, limits)
    for warning in (*settings.warnings, *settings.left_out(name or settings.active)):
        warn(warning)
    target = ask_secret(settings.target(name))
    if probing is not None:
        target = probing.on(target)
    # OpenSSL parses the trusted certificates without holding the GIL, so this runs while the
    # modules below are imported; the check takes the context or waits for it.
    threading.Thread(target=preload_trust, args=(target,), daemon=True).start()
    from stacktui.check.events import CheckFinished, SignInPrompt
    from stacktui.check.history_reader import HistoryReader
    from stacktui.check.history_writer import HistoryWriter
    from stacktui.check.runner import run
    from stacktui.check.summary_text import prompt_summary
    from stacktui.cli.check_output import TextWriter

    writer = TextWriter() if format_ == "text" else None
    told: list[str] = []
    history = HistoryWriter(told.append)

    async def consume() -> CheckSummary:
        before = HistoryReader((target,))
        async for event in run(target):
            if probing is not None:
                probing.see(event)
            if isinstance(event, CheckFinished):
                from stacktui.check.streak import since_text
                from stacktui.diagnosis import diagnose
                from stacktui.diagnosis.summarise import summarise

                diagnosis = diagnose(event.report)
                summary = summarise(event.report, diagnosis, event.run_id)
                since = await before.since(summary)
                try:
                    if writer is not None:
                        writer.write(event, diagnosis)
                        writer.write_diagnosis(diagnosis, since_text(since, summary.started))
                    else:
                        document = _document(event.report, diagnosis, since, format_)
                        click.echo(document, nl=format_ == "json")
                finally:
                    history.add(target, summary)
                if probing is not None and writer is not None:
                    probing.note_leftovers(event.report)
                return summary
            if writer is not None:
                writer.write(event)
            if isinstance(event, SignInPrompt):
                click.echo(f"stacktui: {prompt_summary(event)}", err=True)
        raise AssertionError("a check ends with CheckFinished")

    try:
        with probing.watched() if probing is not None else nullcontext():
            summary = asyncio.run(consume())
    finally:
        history.close()
    for warning in told:
        warn(warning)
    if probing is not None and writer is not None:
        probing.offer_to_remove(target, writer)
    return summary


def _document(report: Report, diagnosis: Diagnosis, since: Since | None, format_: str) -> str:
    if format_ == "json":
        from stacktui.diagnosis.document import report_document

        return json.dumps(report_document(report, diagnosis, since))
    from stacktui.diagnosis.markdown import report_markdown

    return encodable(report_markdown(report, diagnosis, since))
