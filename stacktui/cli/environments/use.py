"""`stacktui environments use`: make an environment the active one."""

from __future__ import annotations

import click

from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import ConfigSource, examples, reads_config
from stacktui.cli.output import err
from stacktui.cli.settings import read_settings, require_writable
from stacktui.config.edit import remember


@click.command(epilog=examples("stacktui environments use West"))
@click.argument("name", metavar="ENV", shell_complete=environment_names)
@reads_config
def command(source: ConfigSource, name: str) -> None:
    """Make ENV the active environment: the one that commands take without a name."""
    require_writable(source)
    settings = read_settings(source, name)
    settings.target(name)  # raises where it is not there, or cannot be used
    remember(settings.path, "active", name)
    err(f"{name} is the active environment")
