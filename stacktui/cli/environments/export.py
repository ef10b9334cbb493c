"""`stacktui environments export`: an environment in the form of another client."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import click

from stacktui.check.cloud import connection_to
from stacktui.check.pinning import AcceptError
from stacktui.cli.ask import CommandError, RemoteError, yes_option
from stacktui.cli.environments.az_export import export_to_az
from stacktui.cli.options import ConfigSource, environment_argument, examples, talks_to_stamp
from stacktui.cli.output import err, warn
from stacktui.cli.secrets import with_typed_secret
from stacktui.cli.settings import read_target, require_writable
from stacktui.exchange.az_setup import too_new
from stacktui.exchange.connection import Connection
from stacktui.exchange.forms import REMARKS, RENDERERS, Form
from stacktui.exchange.shells import Shell, shell_of_this_machine
from stacktui.identities.faults import IdentityError
from stacktui.identities.secrets import resolve_secret


@click.command(
    epilog=examples(
        "stacktui environments export West --format env > west.sh",
        "stacktui environments export West --format az --activate",
        "stacktui environments export West --format az-commands --shell powershell",
    )
)
@environment_argument
@click.option(
    "--format",
    "form",
    metavar="FORM",
    type=click.Choice([each.value for each in Form]),
    required=True,
    help="The form, of those above; az is written into the files of the Azure CLI.",
)
@click.option(
    "--shell",
    type=click.Choice([each.value for each in Shell]),
    default=shell_of_this_machine().value,
    show_default=True,
    help="The shell that `az-commands` and `terraform` are for.",
)
@click.option("--with-secrets", is_flag=True, help="Print the secret itself, not its reference.")
@click.option("--activate", is_flag=True, help="az: also make it the active cloud.")
@click.option(
    "--no-instance-discovery",
    is_flag=True,
    help="az: also set core.instance_discovery=false, which is for all its clouds.",
)
@yes_option
@talks_to_stamp
def command(
    source: ConfigSource,
    name: str | None,
    form: str,
    shell: str,
    with_secrets: bool,
    activate: bool,
    no_instance_discovery: bool,
    yes: bool,
) -> None:
    """Print ENV (default: the active environment), with its identity, for another client.

    \b
    env               variables that the SDKs read, for bash
    powershell        the same for PowerShell
    cmd               the same for cmd
    terraform         the variables of Terraform's provider (archived)
    az                the section [ENV] of az's clouds.config, written there
    az-commands       the commands that connect the az of this machine
    az-powershell     Add-AzEnvironment and Connect-AzAccount
    sdk-python        a program for azure-identity and azure-mgmt-resource
    sdk-json          the JSON file that the Python SDK's samples read
    environment-json  the file that $AZURE_ENVIRONMENT_FILEPATH names
    toml              tables for the config of another stacktui

    What was recorded of the stamp is used; if nothing was, the stamp is asked. A secret is written
    as its reference: the variable or the file that holds it. With --with-secrets it is the secret
    itself; one that is typed in each run is asked for, on a terminal.

    clouds.config is in $AZURE_CONFIG_DIR or ~/.azure, and is changed as `az cloud register` would:
    this shows what changes, asks, and keeps a copy of the file as it was.
    """
    if form == Form.AZ:
        require_writable(source)
    elif activate or no_instance_discovery:
        raise CommandError("--activate and --no-instance-discovery are for --format az")
    if with_secrets and form in (Form.AZ, Form.TOML):
        raise CommandError(f"--with-secrets: the form {form} has no secrets, only references")
    target = read_target(source, name)
    try:
        connection = asyncio.run(connection_to(target, Shell(shell)))
    except AcceptError as error:
        raise RemoteError(str(error)) from None
    if form == Form.AZ:
        export_to_az(
            connection.cloud, active=activate, discovery_off=no_instance_discovery, yes=yes
        )
        if not connection.built_in and (why := too_new(connection.machine.az)):
            warn(f"{why} The form az-commands has what puts 2.66 beside it")
        return
    text = RENDERERS[Form(form)](connection)
    if with_secrets:
        connection, text = _with_secret(connection, Form(form), text)
    click.echo(text, nl=False)
    for remark in REMARKS[Form(form)](connection) if form in REMARKS else ():
        err(remark)


def _with_secret(connection: Connection, form: Form, text: str) -> tuple[Connection, str]:
    """Return the form with the secret itself; warn of it, or say that there is none."""
    identity = connection.identity
    if identity is None or identity.secret is None or identity.secret is not identity.credential:
        warn("no secret is in this output: the environment signs in without one")
        return connection, text
    try:
        secret = resolve_secret(with_typed_secret(identity).secret or identity.secret)
    except IdentityError as error:
        found = f"secret-missing: the {identity.secret_name} of identity {identity.name}"
        raise CommandError(f"{found}: {error}; see: stacktui explain secret-missing") from None
    connection = replace(connection, secret=secret)
    itself = RENDERERS[form](connection)
    if itself == text:
        warn(f"no secret is in this output: {form} has no place for it")
    else:
        warn("the secret itself is in this output: keep it from logs and other people")
    return connection, itself
