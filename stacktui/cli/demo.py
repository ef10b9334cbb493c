"""`stacktui demo`: the dashboard or the headless check on an embedded stamp of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import click

from stacktui.check.settings import load_settings
from stacktui.cli.check import check_headless, exit_code_of
from stacktui.cli.demo_stamp import DEMO_DOMAIN, Demo, drill_ids
from stacktui.cli.options import (
    config_option,
    examples,
    limit_option,
    log_requests_option,
    report_format_option,
    warn_config_unused,
)


def _check_once(config: Path, limits: Mapping[str, float]) -> None:
    """Run a first check without output, for a fault that only a second check finds."""
    from stacktui.check.runner import run

    async def consume() -> None:
        async for _ in run(load_settings(config, limits).target()):
            pass

    asyncio.run(consume())


@click.command(epilog=examples("stacktui demo", "stacktui demo --check --fault tls-expired"))
@click.option(
    "--idp",
    type=click.Choice(["aad", "adfs"]),
    help="Who signs users in.  [default: the one that has the fault, else adfs]",
)
@click.option(
    "--fault",
    metavar="ID",
    shell_complete=drill_ids,
    help="Drill a fault; stacktui stamp --list-faults lists them.",
)
@click.option("--check", "headless", is_flag=True, help="Print a headless check instead.")
@report_format_option
@limit_option
@log_requests_option
@config_option
def command(
    idp: str | None,
    fault: str | None,
    headless: bool,
    format_: str,
    limits: dict[str, float],
    config: Path | None,
) -> None:
    """Try stacktui on an embedded Azure Stack Hub; nothing of yours is read or changed."""
    from stacktui.cli.dashboard import import_app, require_terminal, run_app
    from stacktui.stamp import FAULTS, IdentityProvider, StampOptions, UnknownFaultError

    warn_config_unused(config)
    drill = FAULTS.get(fault or "")
    default_idp = (drill.only_idp if drill else None) or IdentityProvider.ADFS
    try:
        provider = IdentityProvider(idp) if idp else default_idp
        options = StampOptions(domain=DEMO_DOMAIN, idp=provider, fault=fault)
    except UnknownFaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from None
    if not headless:
        require_terminal()
    with Demo(options) as demo:
        if headless:
            path = demo.start()
            if drill and drill.from_second_check:
                _check_once(path, limits)
            summary = check_headless(path, None, format_, limits)
            if drill:
                click.echo(
                    "stacktui: that was a drill, and its stamp is gone; to fix it: "
                    f"stacktui demo --fault {fault}",
                    err=True,
                )
            click.get_current_context().exit(exit_code_of(summary))
        app = import_app()(demo.start(), auto_check=True, limits=limits)
        click.get_current_context().exit(run_app(app))
