"""`stacktui certificates show`: the chain of each endpoint, and what there is to say of it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.document import readiness, survey_document, survey_ok
from stacktui.certificates.readiness import Level
from stacktui.certificates.stores import find_stores
from stacktui.certificates.survey import Presented, Survey
from stacktui.certificates.verify import Verification
from stacktui.cli.certificates.look import Surveyed, run_survey
from stacktui.cli.certificates.place import read_settings
from stacktui.cli.check import format_option
from stacktui.cli.main import ExitCode, config_option
from stacktui.cli.text import say
from stacktui.config.locations import own_bundle

WIDTH = 80

all_option = click.option(
    "--all", "whole", is_flag=True, help="Look at every name that a stamp has, not only at four."
)


@click.command()
@click.argument("name", metavar="[ENV]", required=False)
@all_option
@format_option
@config_option
@click.pass_obj
def show(
    parent: Path | None, name: str | None, whole: bool, format_: str, config: Path | None
) -> None:
    """Show the chain that each endpoint of ENV presents (default: the active environment).

    ARM, login, graph and portal; with --all every name that a stamp's certificates cover. Judged
    by the trust store in use and by the vendor's readiness rules. Exits with 1 when a host that
    exists cannot be reached, is not trusted, or fails a rule.
    """
    target = read_settings(parent, config).target(name)
    in_use = find_stores(target.environment.ca, own_bundle())[0]
    surveyed = run_survey(target, [in_use], whole=whole)
    if format_ == "json":
        click.echo(json.dumps(survey_document(surveyed.survey, surveyed.matrix)))
    else:
        _write(surveyed)
    ok = survey_ok(surveyed.survey, surveyed.matrix)
    click.get_current_context().exit(ExitCode.HEALTHY if ok else ExitCode.FAULT)


def _write(surveyed: Surveyed) -> None:
    survey, matrix = surveyed.survey, surveyed.matrix
    trusted = " + ".join(each.setting for each in survey.trust.sources)
    say(f"{survey.environment.name} · {survey.environment.arm} · trusted here: {trusted}")
    if matrix.columns[0].problem:
        say(f"✗ {matrix.columns[0].problem}")
    if survey.no_metadata:
        for line in wrapped(f"! no metadata, so hosts may be missing: {survey.no_metadata}", 2):
            say(line)
    shown: dict[tuple[bytes, ...], str] = {}
    for row, (cell, *_) in zip(matrix.rows, matrix.cells, strict=True):
        say()
        say(_head(row, cell, survey.taken))
        for line in _trouble(surveyed.survey, row, cell):
            say(line)
        if row.chain in shown:
            say(f"  the same chain as {shown[row.chain]}")
        elif row.chain:
            shown[row.chain] = row.endpoint.role
            for line in chain_lines([describe(der) for der in row.chain], survey.taken):
                say(line)


def place(row: Presented) -> str:
    """The host, and what it is for."""
    endpoint = row.endpoint
    port = "" if endpoint.port == 443 else f":{endpoint.port}"
    return f"{endpoint.role}  {endpoint.host}{port}"


def _head(row: Presented, cell: Verification | None, now: datetime) -> str:
    if row.absent:
        return f"– {place(row)}  absent: this stamp has no such host"
    if not row.chain or cell is None:
        detail = row.fault.detail if row.fault else "no chain was seen"
        return f"✗ {place(row)}  {detail if not row.chain else 'not judged'}"
    left = _left(describe(row.chain[0]), now)
    return f"{'✓' if cell.ok else '✗'} {place(row)}  {cell.word}{f', {left}' if left else ''}"


def _left(certificate: Certificate, now: datetime) -> str:
    end = certificate.not_after
    if end is None:
        return ""
    return f"ended {(now - end).days} days ago" if end < now else f"{(end - now).days} days left"


def _trouble(survey: Survey, row: Presented, cell: Verification | None) -> Iterator[str]:
    if cell is not None and not cell.ok:
        yield f"  OpenSSL says: {cell.message}"
    for each in readiness(survey, row, cell):
        if each.level in (Level.WARNING, Level.CRITICAL, Level.FAIL):
            sign = "✗" if each.level is Level.FAIL else "!"
            yield from wrapped(f"  {sign} {each.level.value}: {each.text}", 4)


def chain_lines(chain: list[Certificate], now: datetime) -> Iterator[str]:
    """The chain as a tree, leaf first, every field."""
    for depth, each in enumerate(chain):
        indent = "  " * (depth + 1)
        yield f"{indent}{'└ ' if depth else ''}{each.common_name or each.unreadable} ({each.kind})"
        for label, value in fields_of(each, now):
            yield from wrapped(f"{indent}  {label:<12}{value}", len(indent) + 14)


def fields_of(certificate: Certificate, now: datetime) -> list[tuple[str, str]]:
    """What one certificate says, labelled, in the order in which one looks for it."""
    if certificate.unreadable:
        return [("unreadable", certificate.unreadable), ("SHA-256", certificate.sha256)]
    start, end = certificate.not_before, certificate.not_after
    usage = certificate.key_usage
    purposes = certificate.extended_key_usage
    return [
        ("subject", certificate.subject),
        ("issuer", certificate.issuer),
        ("names", ", ".join(certificate.names) or "none"),
        ("valid", f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {_left(certificate, now)}"),
        ("serial", certificate.serial),
        ("key", certificate.key),
        ("signature", certificate.signature),
        ("key usage", "any" if usage is None else ", ".join(usage) or "none"),
        ("purposes", "any" if purposes is None else ", ".join(purposes) or "none"),
        # In two halves, as it is compared by eye, and a terminal would cut it within a byte.
        ("SHA-256", f"{certificate.sha256[:48]} {certificate.sha256[48:]}"),
        ("SHA-1", certificate.sha1),
        ("MD5", certificate.md5),
    ]


def wrapped(text: str, hang: int) -> list[str]:
    """The text as lines of the width of a small terminal, all but the first indented."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * hang, break_on_hyphens=False) or [""]
