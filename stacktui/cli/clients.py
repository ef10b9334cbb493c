"""`stacktui clients`: the other programs on this machine that can talk to a stamp."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click

from stacktui.check.clients import judge_clients
from stacktui.check.report import Report
from stacktui.check.target import CheckTarget, config_of
from stacktui.cli.layout import out_beside, out_fitting
from stacktui.cli.options import (
    ConfigSource,
    ExitCode,
    environment_argument,
    examples,
    format_option,
    reads_config,
)
from stacktui.cli.output import err, out
from stacktui.cli.settings import read_target
from stacktui.diagnosis.clients import client_results
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.document import client_document
from stacktui.diagnosis.finding import ClientResult
from stacktui.environments.record import RecordError, StampRecord, read_record
from stacktui.python_clients.interpreters import interpreters_at
from stacktui.python_clients.packages import find_environments, has_packages
from stacktui.text.shell import command_line, for_this_machine

SCHEMA = 1
# At most so many packages of an environment are named; the JSON has all.
_MAX_PACKAGES = 6
_SIGNS = {True: "✓", False: "✗", None: "–"}


@click.command(epilog=examples("stacktui clients", "stacktui clients West --format json"))
@environment_argument
@format_option
@reads_config
def command(source: ConfigSource, name: str | None, format_: str) -> None:
    """List the Python environments on this machine that have azure packages.

    Those of the active environment, on PATH, and in `python` of [clients] in the config; their
    files are read, and nothing of them is started. Says of each whether it can talk to ENV
    (default: the active environment): whether its SDK is too new for a stamp, and whether its file
    of roots holds the root that was recorded of ENV. No request is made. Whether
    az works, whose Python is left out, is in `stacktui check`. Exits with 1 if one cannot.
    """
    target = read_target(source, name)
    for named in target.pythons:
        if not any(interpreters_at(named)):
            err(f"stacktui: {named} in [clients] is neither a Python nor a folder with one")
        elif not has_packages(named):
            err(f"stacktui: {named} in [clients] has no azure packages, or is that of az itself")
    record = _record(target)
    root = (record.signer,) if record is not None and record.signer else ()
    clients = judge_clients(find_environments(target.pythons), target.environment, root)
    report = Report(target, datetime.now(UTC), 0.0, (), recorded=record, clients=clients)
    results = client_results(ReportContext(report))
    if format_ == "json":
        documents = [
            client_document(each) | {"packages": [asdict(package) for package in each.packages]}
            for each in results
        ]
        document = {"schema": SCHEMA, "environment": target.environment.name, "clients": documents}
        click.echo(json.dumps(document))
    else:
        _write(results, known=bool(root), target=target)
    cannot = any(each.works is False for each in results)
    click.get_current_context().exit(ExitCode.FAULT if cannot else ExitCode.HEALTHY)


def _record(target: CheckTarget) -> StampRecord | None:
    try:
        return read_record(config_of(target), target.environment)
    except RecordError as error:
        err(f"stacktui: {error}")
        return None


def _write(results: Sequence[ClientResult], *, known: bool, target: CheckTarget) -> None:
    if not results:
        out_fitting("No Python environment with azure packages is active, on PATH or in [clients].")
    for result in results:
        out_beside(f"{_SIGNS[result.works]} {result.path}", f"Python {result.version}".rstrip(), 4)
        out_fitting(f"    {_packages(result)}", 6)
        if not result.findings:
            out_fitting(f"    {result.summary}", 6)
        for finding in result.findings:
            out_fitting(f"  ✗ {finding.id}: {finding.title}", 6)
            for evidence in finding.evidence:
                out_fitting(f"    - {evidence}", 6)
            for number, remedy in enumerate(finding.remedies, 1):
                out_fitting(f"    {number}. {remedy.title}", 7)
                if shell := remedy.powershell if sys.platform == "win32" else remedy.bash:
                    out(f"       {shell}")
    if results and not known:
        check = command_line("stacktui check", ["--", target.environment.name])
        out_fitting("Nothing is recorded of the stamp yet, so whether they trust it is not known.")
        out(f"A first check records it: {for_this_machine(check)}")


def _packages(result: ClientResult) -> str:
    # Those that talk to ARM first.
    listed = sorted(result.packages, key=lambda each: not each.name.startswith("azure-mgmt-"))
    more = len(listed) - _MAX_PACKAGES
    names = ", ".join(map(str, listed[:_MAX_PACKAGES]))
    return f"{names} and {more} more" if more > 0 else names
