"""`stacktui environments import`: environments from what other clients know."""

from __future__ import annotations

from pathlib import Path

import click

from stacktui.cli.ask import yes_option
from stacktui.cli.environments.az_import import import_from_az
from stacktui.cli.environments.file_import import import_from_file, import_from_variables
from stacktui.cli.options import ConfigSource, examples, talks_to_stamp
from stacktui.cli.settings import absolute, read_settings, require_writable

_AZ, _VARIABLES = "az", "variables"


@click.command(
    epilog=examples(
        "stacktui environments import --from az",
        "stacktui environments import west.sh --name West",
        "stacktui environments import azureSecretSpConfig.json --keep-secret",
        "ssh jump cat west.sh | stacktui environments import - --yes",
    )
)
@click.argument(
    "file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, allow_dash=True)
)
@click.option(
    "--from",
    "source",
    metavar="az|variables|FILE",
    help="Where from: the clouds that az knows, the variables of this process, or a FILE.",
)
@click.option("--name", metavar="NAME", help="The environment's name (default: that in FILE).")
@click.option(
    "--keep-secret",
    is_flag=True,
    help="Write a secret that FILE holds to a file of its own beside the config, mode 0600.",
)
@yes_option
@talks_to_stamp
def command(
    config: ConfigSource,
    file: Path | None,
    source: str | None,
    name: str | None,
    keep_secret: bool,
    yes: bool,
) -> None:
    """Add the environments that FILE or another client has; shows them, and asks.

    FILE (`-`: standard input) has variables of bash, PowerShell or cmd for the SDKs or Terraform,
    az commands, Add-AzEnvironment, a program of the Python SDK, the JSON file of its samples or of
    $AZURE_ENVIRONMENT_FILEPATH, or tables of a config: what `environments export` prints, and
    what was written by hand. It is read, never executed. A secret in it is not written to the
    config: a reference to its variable is, or with --keep-secret one to a file.

    Of the process, the AZURE_* and ARM_* variables are read; a secret is written as its variable.

    Of az, clouds.config is read, in $AZURE_CONFIG_DIR or ~/.azure, and nothing secret. Each stamp
    is asked for its metadata: what it says need not be stored.

    An environment of the same name is changed only if you say so; `--yes` leaves it. Whoever wrote
    FILE may name any secret or certificate of this machine, and a check signs in with it at the
    login host that FILE's stamp names: what is shown before it is added warns of that.
    """
    if (file is None) == (source is None):
        raise click.UsageError("Name a FILE, or --from az, or --from variables.")
    require_writable(config)
    if source is not None and source not in (_AZ, _VARIABLES):
        file = Path(source)
    if keep_secret and file is None:
        raise click.UsageError("--keep-secret is for a FILE.")
    if file is not None:
        import_from_file(absolute(config.path), file, name, keep_secret=keep_secret, yes=yes)
    elif source == _VARIABLES:
        import_from_variables(absolute(config.path), name, yes=yes)
    elif name is not None:
        raise click.UsageError("--name is for a FILE, or the variables.")
    else:
        import_from_az(read_settings(config), yes=yes)
