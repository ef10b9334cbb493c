"""`stacktui subscriptions use`: write an environment's subscription into the config."""

from __future__ import annotations

import click

from stacktui.check.target import config_of
from stacktui.cli.arm import ArmSession, run_arm
from stacktui.cli.arm_subscription import (
    all_subscriptions,
    explain_limited,
    explain_none,
    one_named,
)
from stacktui.cli.options import ArmRequest, ExitCode, examples, reads_arm
from stacktui.cli.output import err, warn
from stacktui.cli.settings import read_target, require_writable
from stacktui.environments.config import change_environment


@click.command(
    epilog=examples(
        "stacktui subscriptions use Production -e West", "stacktui subscriptions use --none"
    )
)
@click.argument("wanted", metavar="[ID|NAME]", required=False)
@click.option(
    "--none", "none", is_flag=True, help="Take the setting out: the first enabled one is used."
)
@reads_arm(subscription=False, listing=False)
def command(request: ArmRequest, wanted: str | None, none: bool) -> None:
    """Make a subscription the one that an environment uses, in the config.

    Asks ARM whether the identity sees it; nothing is changed where it does not. Without asking:
    stacktui environments set ENV subscription=ID.
    """
    if (wanted is None) is not none:
        raise click.UsageError("name a subscription by its id or name, or say --none")
    require_writable(request.source)
    if wanted is None:
        target = read_target(request.source, request.environment)
        before = change_environment(
            config_of(target), target.environment.name, {"subscription": ""}
        )
        _say(target.environment.name, "taken out", before.get("subscription"))
        return
    name = wanted

    async def use(session: ArmSession) -> int:
        found = await all_subscriptions(session)
        if not found:
            await explain_none(session)
            warn("nothing was changed")
            return ExitCode.FAULT
        chosen = one_named(found, name)
        before = change_environment(
            config_of(session.target), session.environment, {"subscription": chosen.id}
        )
        _say(session.environment, f"= {chosen.id} ({chosen.name})", before.get("subscription"))
        await explain_limited(session, [chosen])
        return ExitCode.HEALTHY

    run_arm(request, use)


def _say(environment: str, what: str, before: object) -> None:
    err(f"{environment}: subscription {what}{f' (was: {before})' if before else ''}")
