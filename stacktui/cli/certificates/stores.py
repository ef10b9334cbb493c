"""`stacktui certificates stores`: the trust stores of this box."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from stacktui.certificates.document import SCHEMA, store_document
from stacktui.certificates.stores import StoreState, find_stores, read_store
from stacktui.cli.certificates.place import plural, read_settings
from stacktui.cli.check import format_option
from stacktui.cli.main import ExitCode, config_option
from stacktui.cli.text import say
from stacktui.config.locations import own_bundle
from stacktui.diagnosis.shell import bash


@click.command()
@click.argument("name", metavar="[ENV]", required=False)
@format_option
@config_option
@click.pass_obj
def stores(parent: Path | None, name: str | None, format_: str, config: Path | None) -> None:
    """List the trust stores on this box, and what is wrong with them.

    The one in use is ENV's (default: the active environment). Exits with 1 when a store cannot be
    used, or an upgrade threw away what was added to one.
    """
    settings = read_settings(parent, config)
    ca = settings.target(name).environment.ca if settings.environments or name else None
    now = datetime.now(UTC)
    states = [read_store(each, now) for each in find_stores(ca, own_bundle())]
    if format_ == "json":
        documents = [store_document(each, now) for each in states]
        click.echo(json.dumps({"schema": SCHEMA, "stores": documents}))
    else:
        for state in states:
            _write_store(state)
    bad = any(state.problem or state.lost for state in states)
    click.get_current_context().exit(ExitCode.FAULT if bad else ExitCode.HEALTHY)


def _write_store(state: StoreState) -> None:
    store = state.store
    sign = "✗" if state.problem else "!" if state.lost else "✓"
    say(f"{sign} {store.name:<20} {plural(state.count):>16}  {store.detail}".rstrip())
    for source in store.sources:
        say(f"    {source.path}")
    if state.problem:
        say(f"    ✗ {state.problem}")
    for line in state.unreadable:
        say(f"    ! unreadable: {line}")
    for each in state.expired:
        say(f"    ! expired on {each.not_after:%Y-%m-%d}: {each.common_name}")
    for each in state.additions:
        say(f"    + added by stacktui: {each.common_name}, SHA-256 {each.sha256[:23]}…")
    for lost in state.lost:
        say(f"    ! added by stacktui and lost since, as by an upgrade: {lost.subject}")
        say(f"      stacktui certificates trust {lost.sha256} --store {bash(str(lost.path))}")
