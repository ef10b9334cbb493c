"""`stacktui environments import`: environments from what other clients know."""

from __future__ import annotations

import click

from stacktui.cli.ask import yes_option
from stacktui.cli.environments.az_import import import_from_az
from stacktui.cli.options import ConfigSource, examples, talks_to_stamp
from stacktui.cli.settings import read_settings, require_writable


@click.command(epilog=examples("stacktui environments import --from az"))
@click.option(
    "--from",
    "source",
    type=click.Choice(["az"]),
    required=True,
    help="Where from: az, the clouds that are registered with the Azure CLI.",
)
@yes_option
@talks_to_stamp
def command(config: ConfigSource, source: str, yes: bool) -> None:
    """Add the clouds of another client as environments; shows them, and asks.

    Of az, clouds.config is read, in $AZURE_CONFIG_DIR or ~/.azure, and nothing secret. Each stamp
    is asked for its metadata: what it says need not be stored. An environment of the same name is
    changed only if you say so; `--yes` leaves it.
    """
    require_writable(config)
    import_from_az(read_settings(config), yes=yes)
