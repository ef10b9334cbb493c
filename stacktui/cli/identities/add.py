"""`stacktui identities add`: add an identity to the config."""

from __future__ import annotations

import click

from stacktui.cli.ask import CommandError
from stacktui.cli.key_values import read_pairs
from stacktui.cli.name_completion import starting
from stacktui.cli.options import ConfigSource, examples, reads_config
from stacktui.cli.output import err
from stacktui.cli.settings import absolute, require_writable
from stacktui.identities.changes import typed_values
from stacktui.identities.config import KEYS_OF, KIND_KEYS, save_identity
from stacktui.identities.model import IdentityKind
from stacktui.text.shell import command_line, for_this_machine

# `\b` keeps click from joining the lines.
_HELP = """Add the identity NAME to the config.

The config holds no secret, but where one is: secret=env:NAME is a variable, secret=file:PATH a
file, secret=keyring or secret=keyring:SERVICE/USER an entry of the system's keyring, secret=prompt
what you type in each run; the same for a password. An invalid value is refused, and then nothing is
added.

\b
The keys of each kind, as in the config:
""" + "\n".join(f"{kind}: {' '.join(keys)}" for kind, keys in KEYS_OF.items())


def _settings(context: click.Context, _argument: click.Parameter, incomplete: str) -> list[str]:
    """Complete a key of the kind that is given."""
    kind = context.params.get("kind")
    keys = KEYS_OF[IdentityKind(kind)] if kind else KIND_KEYS
    return starting([f"{key}=" for key in keys], incomplete)


@click.command(
    help=_HELP,
    epilog=examples(
        "stacktui identities add me --kind device-code tenant=contoso.example",
        "stacktui identities add op --kind user username=ME password=env:PASS",
    ),
)
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    type=click.Choice([str(each) for each in IdentityKind]),
    required=True,
    help="How it signs in.",
)
@click.argument("keys", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=_settings)
@reads_config
def command(source: ConfigSource, name: str, kind: str, keys: tuple[str, ...]) -> None:
    """Add the identity, and say how to try and to use it."""
    require_writable(source)
    if not name.isprintable() or not name.strip():
        raise CommandError("the name is empty, or holds control characters")
    path = absolute(source.path)
    values = typed_values(path, name, read_pairs(keys, KEYS_OF[IdentityKind(kind)]), KIND_KEYS)
    save_identity(path, name, {"kind": kind, **values}, added=True)
    err(f"{name}: added")
    config = ("--config", str(path)) if source.given else ()
    test = command_line("stacktui identities test", (name, *config))
    err(f"to try it: {for_this_machine(test)}")
    use = command_line("stacktui environments set ENV", (f"identity={name}", *config))
    err(f"to use it: {for_this_machine(use)}")
