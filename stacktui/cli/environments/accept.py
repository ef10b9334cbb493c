"""`stacktui environments accept`: show what has changed, ask, and record the stamp again."""

from __future__ import annotations

import asyncio

import click

from stacktui.check.pinning import AcceptError, accept, ask_stamp, differences
from stacktui.cli.ask import CommandError, RemoteError, confirm, yes_option
from stacktui.cli.options import ConfigSource, environment_argument, examples, talks_to_stamp
from stacktui.cli.output import err
from stacktui.cli.settings import read_target, require_writable


@click.command(epilog=examples("stacktui environments accept West"))
@environment_argument
@yes_option
@talks_to_stamp
def command(source: ConfigSource, name: str | None, yes: bool) -> None:
    """Accept the login endpoint, the audience and the root that the stamp of ENV has now.

    Shows what has changed since they were recorded, and asks before it records them again. Exits
    with 1 if the stamp does not respond, or presents a chain that this machine does not trust.
    """
    require_writable(source)
    target = read_target(source, name)
    try:
        diff = asyncio.run(ask_stamp(target))
    except AcceptError as error:
        raise RemoteError(f"nothing to accept: {error}") from None
    changes = list(differences(diff))
    if diff.known is not None and not changes:
        err(f"{target.environment.name}: nothing has changed since it was recorded")
        return
    for what, before, now in changes:
        err(f"{what}:")
        err(f"  recorded  {before}")
        err(f"  now       {now}")
    confirm(f"Accept this for {target.environment.name}?", yes=yes)
    try:
        accept(target, diff)
    except AcceptError as error:
        raise CommandError(str(error)) from None
    err(f"{target.environment.name}: recorded; the next check compares with it")
