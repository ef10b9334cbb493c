"""`stacktui environments remove`: take an environment out of the config."""

from __future__ import annotations

import click

from stacktui.cli.ask import confirm_by_typing, yes_option
from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import ConfigSource, examples, reads_config
from stacktui.cli.output import err
from stacktui.cli.settings import read_settings, require_writable
from stacktui.config.document import ConfigError
from stacktui.config.edit import ENVIRONMENTS, remove_table
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.shell import toml_table


@click.command(epilog=examples("stacktui environments remove West"))
@click.argument("name", metavar="ENV", shell_complete=environment_names)
@yes_option
@reads_config
def command(source: ConfigSource, name: str, yes: bool) -> None:
    """Take ENV out of the config, once its name was typed.

    Its identity stays, and so do the history of its checks, what was recorded of the stamp (see
    forget) and the files of certificates.
    """
    require_writable(source)
    settings = read_settings(source, name)
    if name not in settings.names:  # one that cannot be used can be removed all the same
        raise ConfigError(settings.path, f"{ENVIRONMENTS}.{name} is not there")
    err(f"This takes {toml_table(ENVIRONMENTS, name)} out of {settings.path}.")
    shown = escape_control_chars(name)
    confirm_by_typing(f"Type its name to remove it ({shown})", shown, yes=yes)
    remove_table(settings.path, ENVIRONMENTS, name)
    active = "; no environment is active now" if settings.active == name else ""
    err(f"removed {name} from {settings.path}{active}")
