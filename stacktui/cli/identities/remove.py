"""`stacktui identities remove`: take an identity out of the config."""

from __future__ import annotations

import click

from stacktui.cli.ask import CommandError, confirm_by_typing, yes_option
from stacktui.cli.name_completion import identity_names
from stacktui.cli.options import ConfigSource, examples, reads_config
from stacktui.cli.output import err
from stacktui.cli.settings import absolute, require_writable
from stacktui.config.document import ConfigError, read_document
from stacktui.config.edit import IDENTITIES, remove_table, users_of
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.shell import command_line, for_this_machine, toml_table


@click.command(epilog=examples("stacktui identities remove ops"))
@click.argument("name", metavar="NAME", shell_complete=identity_names)
@yes_option
@reads_config
def command(source: ConfigSource, name: str, yes: bool) -> None:
    """Take the identity NAME out of the config, once its name was typed.

    One that environments use is not taken out. The files of its secret and certificate stay.
    """
    require_writable(source)
    path = absolute(source.path)
    document = read_document(path)
    tables = document.get(IDENTITIES)
    if not isinstance(tables, dict) or name not in tables:
        raise ConfigError(path, f"{IDENTITIES}.{name} is not there")
    if users := users_of(document, name):
        other = for_this_machine(command_line("stacktui environments set", users[:1]))
        raise CommandError(
            f"{escape_control_chars(name)} is used by {escape_control_chars(', '.join(users))}; "
            f"choose another one first: {other} identity=NAME, or identity= for none"
        )
    err(f"This takes {toml_table(IDENTITIES, name)} out of {path}.")
    shown = escape_control_chars(name)
    confirm_by_typing(f"Type its name to remove it ({shown})", shown, yes=yes)
    remove_table(path, IDENTITIES, name)
    err(f"removed {name} from {path}")
