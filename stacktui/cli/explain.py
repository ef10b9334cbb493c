"""`stacktui explain`: the catalogue, a fault of it, or what a pasted message can mean."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from stacktui.cli.explain_output import write_catalogue, write_faults, write_recognised
from stacktui.cli.name_completion import starting
from stacktui.cli.options import (
    ConfigSource,
    ExitCode,
    examples,
    reads_config,
    report_format_option,
    warn_config_unused,
)
from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.catalogue_export import (
    SCHEMA,
    catalogue_table,
    fault_document,
    fault_markdown,
)
from stacktui.diagnosis.recognise import Recognised, decoded, recognise

if TYPE_CHECKING:
    from stacktui.diagnosis.fault import FaultInfo

STDIN = "-"
# The most bytes that are read from a pipe; `az --debug` writes less.
_MOST = 1024 * 1024
_NEAR = 5
_ID = re.compile(r"[a-z0-9-]{1,40}")


def _ids(
    _context: click.Context, _argument: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    ids = starting(EVERY_FAULT, incomplete)
    return [CompletionItem(each, help=EVERY_FAULT[each].meaning) for each in ids]


@click.command(
    epilog=examples(
        "stacktui explain tls-expired", "az cloud register ... 2>&1 | stacktui explain -"
    )
)
@click.argument("words", nargs=-1, metavar="ID|MESSAGE|-", shell_complete=_ids)
@click.option("--list", "list_", is_flag=True, help="List all faults of the catalogue.")
@report_format_option
@reads_config
def command(source: ConfigSource, words: tuple[str, ...], list_: bool, format_: str) -> None:
    """Explain a verdict by its ID, or what a MESSAGE of az or another client can mean.

    Give a message in quotes, or `-` to read it from stdin.

    Prints the meaning, the side, the evidence that distinguishes it and the remedies. Exits with 0
    if it explains something, 1 if no known message matches, 2 on wrong usage. Nothing of the
    message is written anywhere.
    """
    warn_config_unused(source.given)
    if list_ == bool(words):
        raise click.UsageError("give an ID, a message, - for stdin, or --list alone")
    click.get_current_context().exit(_answer(words, format_))


def _answer(words: Sequence[str], format_: str) -> int:
    named = [EVERY_FAULT.get(word.lower()) for word in words]
    if all(named):
        _write_faults(
            [each for each in named if each] or list(EVERY_FAULT.values()), format_, words
        )
        return ExitCode.HEALTHY
    message = _piped() if list(words) == [STDIN] else " ".join(words)
    if not message.strip():
        raise click.UsageError("the message is empty: paste what az said")
    found = recognise(message)
    if not found and len(words) == 1 and words[0] != STDIN and _ID.fullmatch(words[0].lower()):
        raise click.UsageError(_no_such_id(words[0].lower()))
    _write_recognised(found, format_)
    return ExitCode.HEALTHY if found else ExitCode.FAULT


def _no_such_id(word: str) -> str:
    """Return an error that does not repeat the word: anything may have been pasted."""
    near = [id_ for id_ in EVERY_FAULT if id_.startswith(f"{word}-")][:_NEAR]
    near = near or get_close_matches(word, EVERY_FAULT, n=3)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"the catalogue has no such id{meant} (`stacktui explain --list` shows all)"


def _piped() -> str:
    if sys.stdin is None:  # started with stdin closed
        return ""
    if sys.stdin.isatty():
        click.echo("stacktui: paste the message, then press Ctrl+D (Ctrl+Z on Windows)", err=True)
    raw = sys.stdin.buffer.read(_MOST + 1)
    if len(raw) > _MOST:
        click.echo("stacktui: only the first MiB of stdin was read", err=True)
    return decoded(raw[:_MOST])


def _write_faults(faults: Sequence[FaultInfo], format_: str, words: Sequence[str]) -> None:
    match format_:
        case "json":
            _write_json(entries=[fault_document(each) for each in faults])
        case "markdown" if words:
            click.echo("\n\n".join(map(fault_markdown, faults)))
        case "markdown":
            click.echo(catalogue_table(faults))
        case _:
            write_faults(faults) if words else write_catalogue(faults)


def _write_recognised(found: Recognised, format_: str) -> None:
    match format_:
        case "json":
            explained = [
                fault_document(each.fault) | {"because": list(each.because)}
                for each in found.candidates
            ]
            _write_json(entries=explained, notes=list(found.notes))
        case "markdown":
            parts = [fault_markdown(each.fault) for each in found.candidates]
            click.echo("\n\n".join([*parts, *found.notes]) or "No fault of the catalogue fits.")
        case _:
            write_recognised(found)


def _write_json(**fields: Any) -> None:
    click.echo(json.dumps({"schema": SCHEMA, **fields}))
