"""`stacktui certificates stores`: the trust stores of this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

import click

from stacktui.certificates.additions import read_additions
from stacktui.certificates.document import SCHEMA, store_document
from stacktui.certificates.stores import StoreState, find_stores, read_stores
from stacktui.cli.layout import out_beside, out_wrapped
from stacktui.cli.options import (
    ConfigSource,
    ExitCode,
    environment_argument,
    examples,
    format_option,
    reads_config,
)
from stacktui.cli.output import err, out
from stacktui.cli.settings import read_settings
from stacktui.config.locations import own_bundle
from stacktui.text.counts import count_of
from stacktui.text.shell import bash, command_line, for_this_machine

# At most so many expired certificates of a store are named; the JSON has all.
MAX_EXPIRED = 8


@click.command(epilog=examples("stacktui certificates stores"))
@environment_argument
@format_option
@reads_config
def command(source: ConfigSource, name: str | None, format_: str) -> None:
    """List the trust stores on this machine, and what is wrong with them.

    Marks the store that is in use for ENV (default: the active environment). Exits with 1 if a
    store cannot be used, or if an upgrade removed a root that was added to one.
    """
    settings = read_settings(source, name)
    ca = settings.target(name).environment.ca if settings.environments or name else None
    now = datetime.now(UTC)
    states = read_stores(find_stores(ca, own_bundle()), now)
    if format_ == "json":
        documents = [store_document(each, now) for each in states]
        click.echo(json.dumps({"schema": SCHEMA, "stores": documents}))
    else:
        _write_stores(states)
    if trouble := read_additions().trouble:
        err(f"! {trouble}")
    bad = any(state.problem or state.lost for state in states)
    click.get_current_context().exit(ExitCode.FAULT if bad else ExitCode.HEALTHY)


def _write_stores(states: Sequence[StoreState]) -> None:
    first: dict[tuple[str, ...], str] = {}
    for state in states:
        store = state.store
        paths = tuple(source.path for source in store.sources)
        sign = "✗" if state.problem else "!" if state.lost else "✓"
        count = count_of(state.count, "certificate")
        if state.problem and state.repairable:  # they are in the file, and no program reads them
            count = "none is read"
        out_beside(f"{sign} {store.name:<20} {count:>16}", store.detail)
        if not state.problem and paths in first:
            out(f"    the same as {first[paths]}")
        else:
            for source in store.sources:
                out(f"    {source.path}")
            _write_content(state)
        first.setdefault(paths, store.name)
    if any(state.problem for state in states):
        out()
        out_wrapped("→ Fix the file, or remove the setting that names it: while a store cannot "
                    "be used, the programs that use it can verify no host.", 2)  # fmt: skip


def _write_content(state: StoreState) -> None:
    if state.problem:
        out_wrapped(f"    ✗ {state.problem}", 6)
    for line in state.unreadable:
        out_wrapped(f"    ! unreadable: {line}", 6)
    for path in state.repairable:
        repair = command_line("stacktui certificates repair", [path])
        out(f"      → {for_this_machine(repair)}")
    if state.expired:
        ended = (f"{each.common_name} ({each.not_after:%Y-%m-%d})" for each in state.expired)
        listed = ", ".join(islice(ended, MAX_EXPIRED))
        left = len(state.expired) - MAX_EXPIRED
        more = f" and {left} more" if left > 0 else ""
        out_wrapped(f"    ! {len(state.expired)} expired: {listed}{more}", 6)
    for each in state.additions:
        out_wrapped(f"    + added by stacktui: {each.common_name}, SHA-256 {each.sha256[:23]}…", 6)
    for lost in state.lost:
        out_wrapped(f"    ! added by stacktui and lost since, as by an upgrade: {lost.subject}", 6)
        out("      to add it again:")
        out(f"      stacktui certificates trust {lost.sha256} --store {bash(str(lost.path))}")
