"""`stacktui groups list`: the resource groups of a subscription, as they arrive."""

from __future__ import annotations

import click

from stacktui.cli.arm import ArmSession, run_arm
from stacktui.cli.arm_lists import write_list
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.groups.table import GROUPS
from stacktui.cli.options import ArmRequest, examples, reads_arm
from stacktui.resources.groups import group_pages


@click.command(
    epilog=examples(
        "stacktui groups list --environment West",
        "stacktui groups list --format jsonl | jq -r .name",
        "stacktui groups list --format tsv --limit rows=10",
    )
)
@reads_arm()
def command(request: ArmRequest) -> None:
    """List the resource groups of a subscription, to the last page.

    Prints as pages arrive: a table, one JSON document, ARM's objects one a line (jsonl), or name,
    location, state, tags and id (tsv). A page that fails leaves what was printed, says so on
    stderr, and ends with exit code 1.
    """
    run_arm(request, _list)


async def _list(session: ArmSession) -> int:
    subscription = await subscription_of(session)
    pages = group_pages(session.client, subscription)
    return await write_list(session, pages, GROUPS, subscription)
