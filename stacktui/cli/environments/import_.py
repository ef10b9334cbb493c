"""`stacktui environments import`: environments from what other clients know."""

from __future__ import annotations

from pathlib import Path

import click

from stacktui.cli.ask import yes_option
from stacktui.cli.environments.az_import import import_from_az
from stacktui.cli.options import config_option, examples, log_requests_option
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
@log_requests_option
@config_option
@click.pass_obj
def command(parent: Path | None, source: str, yes: bool, config: Path | None) -> None:
    """Add the clouds of another client as environments; shows them, and asks.

    Of az, clouds.config is read, in $AZURE_CONFIG_DIR or ~/.azure, and nothing secret. Each stamp
    is asked for its metadata: what it says need not be stored. An environment of the same name is
    changed only if you say so; `--yes` leaves it.
    """
    require_writable(parent, config)
    import_from_az(read_settings(parent, config), yes=yes)
