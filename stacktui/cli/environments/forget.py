"""`stacktui environments forget`: the next good check records the stamp anew."""

from __future__ import annotations

import click

from stacktui.check.pinning import AcceptError, forget
from stacktui.cli.ask import CommandError, confirm, yes_option
from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import ConfigSource, examples, reads_config
from stacktui.cli.output import err
from stacktui.cli.settings import read_target, require_writable


@click.command(epilog=examples("stacktui environments forget West"))
@click.argument("name", metavar="ENV", shell_complete=environment_names)
@yes_option
@reads_config
def command(source: ConfigSource, name: str, yes: bool) -> None:
    """Forget the login endpoint, the audience and the root that were recorded of ENV.

    The next successful check records what it finds then, without comparing.
    """
    require_writable(source)
    target = read_target(source, name)
    confirm(f"Forget what was recorded of {target.environment.name}?", yes=yes)
    try:
        forget(target)
    except AcceptError as error:
        raise CommandError(str(error)) from None
    err(f"{target.environment.name}: forgotten")
