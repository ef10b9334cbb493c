"""`stacktui stamp`: run the embedded stamp in the foreground, for drills and other clients."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from stacktui.cli.demo_stamp import drill_ids
from stacktui.cli.main import ENDINGS
from stacktui.cli.options import config_option, examples, warn_config_unused
from stacktui.errors import is_exhaustion
from stacktui.stamp import FAULTS, Cloud, IdentityProvider, StampOptions, UnknownFaultError, serve
from stacktui.stamp.options import (
    MAX_GROUPS,
    METADATA_FORMS,
    MORE_SUBSCRIPTIONS,
    OPERATION_ENDS,
    ROLES,
)
from stacktui.stamp.request_faults import FAULT_KINDS


def _list_faults(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    width = max(map(len, FAULTS))
    for fault, entry in FAULTS.items():
        click.echo(f"{fault:{width}}  {entry.summary}")
    context.exit()


@click.command(
    name="stamp",
    context_settings={"show_default": True},
    epilog=examples("stacktui stamp --idp adfs --fault tls-expired"),
)
@click.option(
    "--idp",
    type=click.Choice([provider.value for provider in IdentityProvider]),
    default=IdentityProvider.AAD.value,
    help="Identity provider: Entra ID or AD FS.",
)
@click.option(
    "--cloud",
    type=click.Choice([cloud.value for cloud in Cloud]),
    default=Cloud.STAMP.value,
    help="Serve a stamp, or public Azure under its own names.",
)
@click.option("--build", default="2102", help="Release of the stamp: year and month, four digits.")
@click.option(
    "--groups", type=click.IntRange(0, MAX_GROUPS), default=18, help="Number of resource groups."
)
@click.option("--page-size", type=click.IntRange(1), default=100, help="Resource groups per page.")
@click.option(
    "--latency", type=click.FloatRange(0), default=0.0, help="Delay of each response in seconds."
)
@click.option(
    "--role",
    type=click.Choice([*ROLES, "none"]),
    default="owner",
    help="Role of the service principal on the subscriptions.",
)
@click.option(
    "--more-subscriptions",
    type=click.Choice(MORE_SUBSCRIPTIONS),
    multiple=True,
    help="A further subscription of this kind; repeatable.",
)
@click.option("--offers", type=click.IntRange(0), default=2, help="Offers that a user may take.")
@click.option(
    "--unregistered",
    multiple=True,
    default=("Microsoft.Web",),
    help="Resource provider that is not registered; repeatable.",
)
@click.option(
    "--managed-identity", is_flag=True, help="List Microsoft.ManagedIdentity on a stamp too."
)
@click.option(
    "--delete-seconds", type=click.FloatRange(0), default=1.5, help="Duration of a deletion."
)
@click.option(
    "--operation-end",
    type=click.Choice([str(status) for status in OPERATION_ENDS]),
    default="200",
    help="Status that the polls of a deletion end with: 404 forgets the operation, 409 is the "
    "deletion's failure.",
)
@click.option(
    "--retry-after", type=click.IntRange(0), default=1, help="Seconds between polls (Retry-After)."
)
@click.option(
    "--register-seconds",
    type=click.FloatRange(0),
    default=0.0,
    help="Duration of a provider's registration.",
)
@click.option(
    "--update-seconds", type=click.FloatRange(0), default=0.0, help="Duration of a VM's update."
)
@click.option(
    "--replication-seconds",
    type=click.FloatRange(0),
    default=0.0,
    help="Time until role assignments know a new identity.",
)
@click.option(
    "--grant-seconds",
    type=click.FloatRange(0),
    default=0.0,
    help="Time until a new role assignment counts.",
)
@click.option("--hostile", is_flag=True, help="Add groups with hostile names and tags.")
@click.option(
    "--fault-at",
    metavar="WHEN=WHAT",
    multiple=True,
    help="Fault of single requests, such as 3=drop or 'GET */resourcegroups@2=throttle:17'; "
    "repeatable. WHAT: " + ", ".join(FAULT_KINDS) + ".",
)
@click.option("--domain", help="Serve under the names of this domain instead of localhost.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="TLS port; 0: any free one.")
@click.option(
    "--imds-port", type=click.IntRange(0, 65535), default=0, help="IMDS port; 0: any free one."
)
@click.option(
    "--fault",
    metavar="ID",
    shell_complete=drill_ids,
    help="Play a fault; --list-faults lists them.",
)
@click.option(
    "--metadata-form",
    type=click.Choice(METADATA_FORMS),
    default=METADATA_FORMS[0],
    help="What some clients fail at in the metadata.",
)
@click.option("--no-san", is_flag=True, help="The certificate has its name in the CN alone.")
@click.option(
    "--no-default-scope",
    is_flag=True,
    help="AD FS refuses /.default on client credentials (MSIS9605).",
)
@click.option(
    "--list-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_faults,
    help="List the faults and exit.",
)
@config_option
def command(
    no_default_scope: bool,
    no_san: bool,
    idp: str,
    cloud: str,
    role: str,
    operation_end: str,
    config: Path | None,
    **settings: Any,
) -> None:
    """Run a simulated Azure Stack Hub on loopback until it is interrupted.

    Prints one line of JSON with everything that a client needs to connect. Certificates, ids and
    secrets are generated at each start, and its files are removed at the end.
    """
    warn_config_unused(config)
    try:
        options = StampOptions(
            idp=IdentityProvider(idp),
            cloud=Cloud(cloud),
            role=None if role == "none" else role,
            operation_end=int(operation_end),
            adfs_default_scope=not no_default_scope,
            san=not no_san,
            **settings,
        )
    except UnknownFaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        asyncio.run(_run(options))
    except OSError as error:
        if is_exhaustion(error):
            raise
        raise click.ClickException(f"cannot listen: {error}") from error


async def _run(options: StampOptions) -> None:
    stop = asyncio.Event()
    with ExitStack() as handlers:
        _on_endings(stop.set, handlers)
        async with serve(options) as stamp:
            _print_line(json.dumps(stamp.describe()))
            await stop.wait()


def _on_endings(call: Callable[[], object], handlers: ExitStack) -> None:
    """Call `call` in the running loop on each signal that ends the process."""
    loop = asyncio.get_running_loop()

    def wake(*_: object) -> None:
        loop.call_soon_threadsafe(call)

    for number in (signal.SIGINT, *ENDINGS):
        try:
            loop.add_signal_handler(number, call)
        except NotImplementedError:  # Windows: the loop wakes up for each signal
            handlers.callback(signal.signal, number, signal.signal(number, wake))


def _print_line(line: str) -> None:
    try:
        click.echo(line)
    except OSError as error:
        # Else Python tries to flush the line again at exit, and reports the error again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reason = error.strerror or type(error).__name__
        raise click.ClickException(f"cannot write what clients need to know: {reason}") from error
