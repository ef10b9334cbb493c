"""`stacktui environments set`: change settings, as remedies do."""

from __future__ import annotations

import os
from pathlib import Path

import click

from stacktui.cli.key_values import err_changes, read_pairs
from stacktui.cli.name_completion import config_names, environment_names, starting
from stacktui.cli.options import ConfigSource, examples, reads_config
from stacktui.cli.output import err
from stacktui.cli.settings import require_writable
from stacktui.environments.config import CHANGEABLE, change_environment
from stacktui.environments.profiles import PROFILES


def _settings(context: click.Context, _argument: click.Parameter, incomplete: str) -> list[str]:
    """Complete a key, with its value where that is one of a few."""
    values = {"identity": config_names(context, "identities"), "profile": PROFILES}
    words = [f"{key}={value}" for key in CHANGEABLE for value in values.get(key) or ("",)]
    return starting(words, incomplete)


@click.command(
    epilog=examples("stacktui environments set West profile=2019-03-01-hybrid limits.connect=15")
)
@click.argument("name", metavar="ENV", shell_complete=environment_names)
@click.argument(
    "changes", metavar="KEY=VALUE...", nargs=-1, required=True, shell_complete=_settings
)
@reads_config
def command(source: ConfigSource, name: str, changes: tuple[str, ...]) -> None:
    """Set each KEY of the environment ENV to its VALUE; `KEY=` removes the key.

    KEY is one of arm, profile, identity, subscription, ca, proxy and limits.NAME (limits.step=60),
    or endpoints.NAME, which replaces what the metadata says, or vm_image_aliases, the URL of the
    document of az's aliases for VM images.
    Prints each change. An invalid value is refused, and then nothing is changed. Comments and the
    order of the file stay.
    """
    require_writable(source)
    # Do not load the settings: the key to be changed may be what makes them invalid.
    path = Path(os.path.abspath(source.path))
    wanted = read_pairs(changes, CHANGEABLE)
    before = change_environment(path, name, wanted)
    if "proxy" in wanted:  # its URL may hold a password
        err(f"{name}: proxy is {'set' if wanted['proxy'] else 'taken out'}")
    texts = {key: (str(before.get(key, "")), value) for key, value in wanted.items()}
    err_changes(name, {key: each for key, each in texts.items() if key != "proxy"})
    if "profile" in wanted and wanted["profile"] != before.get("profile"):
        err("check again: what was found before was of the other profile")
