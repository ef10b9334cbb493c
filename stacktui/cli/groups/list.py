"""`stacktui groups list`: the resource groups of a subscription, or of all, as they arrive."""

from __future__ import annotations

import click

from stacktui.cli.arm import ArmSession, run_arm
from stacktui.cli.arm_lists import write_list, write_lists
from stacktui.cli.arm_subscription import subscription_of, usable_subscriptions
from stacktui.cli.groups.table import GROUPS, of_subscriptions
from stacktui.cli.options import ArmRequest, examples, reads_arm
from stacktui.resources.groups import group_pages


@click.command(
    epilog=examples(
        "stacktui groups list --environment West",
        "stacktui groups list --format jsonl | jq -r .name",
        "stacktui groups list --format tsv --limit rows=10",
        "stacktui groups list --all-subscriptions",
    )
)
@click.option(
    "--all-subscriptions",
    "every",
    is_flag=True,
    help="List those of each enabled subscription of the sign-in's tenant.",
)
@reads_arm()
def command(request: ArmRequest, every: bool) -> None:
    """List the resource groups of a subscription, to the last page.

    Prints as pages arrive: a table, one JSON document, ARM's objects one a line (jsonl), or name,
    location, state, tags and id (tsv). A page that fails leaves what was printed, says so on
    stderr, and ends with exit code 1; of all subscriptions, the next one is read.
    """
    if every and request.subscription:
        raise click.UsageError("give --subscription or --all-subscriptions, not both")
    run_arm(request, _list_every if every else _list)


async def _list(session: ArmSession) -> int:
    subscription = await subscription_of(session)
    pages = group_pages(session.client, subscription)
    return await write_list(session, pages, GROUPS, {"subscription": subscription})


async def _list_every(session: ArmSession) -> int:
    found = await usable_subscriptions(session)
    # Text has no id of a group, from which the other formats know its subscription.
    table = of_subscriptions(found) if session.request.format_ == "text" else GROUPS
    lists = {f"{each.name} ({each.id})": group_pages(session.client, each.id) for each in found}
    return await write_lists(session, lists, table, {"subscriptions": [each.id for each in found]})
