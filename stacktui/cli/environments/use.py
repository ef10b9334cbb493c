"""`stacktui environments use`: make an environment the active one."""

from __future__ import annotations

from pathlib import Path

import click

from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import config_option, examples
from stacktui.cli.output import err
from stacktui.cli.settings import read_settings, require_writable
from stacktui.config.edit import remember


@click.command(epilog=examples("stacktui environments use West"))
@click.argument("name", metavar="ENV", shell_complete=environment_names)
@config_option
@click.pass_obj
def command(parent: Path | None, name: str, config: Path | None) -> None:
    """Make ENV the active environment: the one that commands take without a name."""
    require_writable(parent, config)
    settings = read_settings(parent, config, name=name)
    settings.target(name)  # raises where it is not there, or cannot be used
    remember(settings.path, "active", name)
    err(f"{name} is the active environment")
