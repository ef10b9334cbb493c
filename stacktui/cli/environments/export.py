"""`stacktui environments export`: an environment in the form of another client."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from stacktui.check.cloud import read_cloud
from stacktui.check.pinning import AcceptError
from stacktui.cli.ask import RemoteError
from stacktui.cli.options import (
    config_option,
    environment_argument,
    examples,
    limit_option,
    log_requests_option,
)
from stacktui.cli.settings import read_settings
from stacktui.exchange.connection import Connection
from stacktui.exchange.forms import RENDERERS, Form
from stacktui.identities.model import CertificateRef
from stacktui.identities.secrets import resolve_secret


@click.command(epilog=examples("stacktui environments export West --format toml"))
@environment_argument
@click.option(
    "--format",
    "form",
    type=click.Choice([each.value for each in Form]),
    required=True,
    help="The form to print.",
)
@click.option("--with-secrets", is_flag=True, help="Print the secret itself, not its reference.")
@limit_option
@log_requests_option
@config_option
@click.pass_obj
def command(
    parent: Path | None,
    name: str | None,
    form: str,
    with_secrets: bool,
    limits: dict[str, float],
    config: Path | None,
) -> None:
    """Print ENV (default: the active environment), with its identity, for another client.

    What was recorded of the stamp is used; if nothing was, the stamp is asked.
    """
    target = read_settings(parent, config, limits, name=name).target(name)
    try:
        cloud = asyncio.run(read_cloud(target))
    except AcceptError as error:
        raise RemoteError(str(error)) from None
    reference = target.identity.credential if target.identity else None
    secret = None
    if with_secrets and reference is not None and not isinstance(reference, CertificateRef):
        secret = resolve_secret(reference)
    connection = Connection(target.environment, cloud, target.identity, secret)
    click.echo(RENDERERS[Form(form)](connection), nl=False)
