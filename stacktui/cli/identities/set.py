"""`stacktui identities set`: change keys of an identity."""

from __future__ import annotations

import click

from stacktui.cli.key_values import err_changes, read_pairs
from stacktui.cli.name_completion import identity_names, starting
from stacktui.cli.options import ConfigSource, examples, reads_config
from stacktui.cli.settings import absolute, require_writable
from stacktui.identities.changes import change_identity
from stacktui.identities.config import KEYS
from stacktui.identities.model import IdentityKind


def _settings(_context: click.Context, _argument: click.Parameter, incomplete: str) -> list[str]:
    """Complete a key, with its value where that is one of a few."""
    kinds = [f"kind={kind}" for kind in IdentityKind]
    return starting([*kinds, *(f"{key}=" for key in KEYS if key != "kind")], incomplete)


@click.command(
    epilog=examples(
        "stacktui identities set ops secret=env:OPS_SECRET",
        "stacktui identities set ops certificate=sp.pem secret=",
    )
)
@click.argument("name", metavar="NAME", shell_complete=identity_names)
@click.argument(
    "changes", metavar="KEY=VALUE...", nargs=-1, required=True, shell_complete=_settings
)
@reads_config
def command(source: ConfigSource, name: str, changes: tuple[str, ...]) -> None:
    """Set each KEY of the identity NAME to its VALUE; `KEY=` removes the key.

    The keys are those of the config, as for add. Prints each change. An invalid value is refused,
    and then nothing is changed. Comments and the order of the file stay.
    """
    require_writable(source)
    # Without loading the settings: the key to be changed may be what makes them invalid.
    err_changes(name, change_identity(absolute(source.path), name, read_pairs(changes, KEYS)))
