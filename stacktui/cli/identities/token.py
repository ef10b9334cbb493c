"""`stacktui identities token`: a token for scripts."""

from __future__ import annotations

import json
import sys
import time

import click

from stacktui.cli.arm import ArmSession, run_on, signing_in
from stacktui.cli.arm_lists import write
from stacktui.cli.ask import CommandError
from stacktui.cli.options import ArmRequest, ExitCode, examples, identity_option, reads_arm
from stacktui.cli.settings import read_settings


@click.command(
    epilog=examples(
        "stacktui identities token -e West | jq -r .access_token",
        "stacktui identities token -e West --identity ops --show",
    )
)
@identity_option
@click.option("--show", is_flag=True, help="Print it on a terminal too, where others may read it.")
@reads_arm(subscription=False, listing=False)
def command(request: ArmRequest, identity: str | None, show: bool) -> None:
    """Print a token for the ARM of an environment, as JSON, for scripts.

    Whoever has it may do what the identity may, until it expires. `expires_on` is in seconds since
    the epoch, null if unknown; `resource` is the audience, as of `az account get-access-token`. On
    a terminal nothing is printed without --show.
    """
    if sys.stdout.isatty() and not show:
        raise CommandError("a token is a secret: pipe it to where it is used, or add --show")
    settings = read_settings(request.source, request.environment)
    target = signing_in(settings, request.environment, identity)

    async def print_token(session: ArmSession) -> int:
        asked = time.time()
        token = await session.client.token()
        ends = token.ends(asked)
        document = {
            "access_token": token.value,
            "expires_on": None if ends is None else int(ends),
            "token_type": "Bearer",
            "tenant": token.facts.tenant,
            "resource": token.facts.resource,
        }
        write(json.dumps(document))
        return ExitCode.HEALTHY

    click.get_current_context().exit(run_on(target, request, print_token))
