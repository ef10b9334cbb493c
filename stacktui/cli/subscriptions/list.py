"""`stacktui subscriptions list`: the subscriptions that an identity sees."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import click

from stacktui.cli.arm import ArmSession, run_arm
from stacktui.cli.arm_lists import Table, write_list
from stacktui.cli.arm_subscription import explain_limited, explain_none
from stacktui.cli.options import ArmRequest, ExitCode, examples, reads_arm
from stacktui.resources.listing import RowPage
from stacktui.resources.model import Subscription
from stacktui.resources.subscriptions import subscription_pages


@click.command(
    epilog=examples(
        "stacktui subscriptions list", "stacktui subscriptions list -e West --format tsv | cut -f1"
    )
)
@reads_arm(subscription=False)
def command(request: ArmRequest) -> None:
    """List the subscriptions that the identity of an environment sees.

    `*` marks the one that the environment uses. Prints as pages arrive: a table, one JSON document,
    ARM's objects one a line (jsonl), or id, name, state, tenant and offer (tsv). Says on stderr why
    one cannot be used, and where there is none, which offers may be taken and whom to ask.
    """
    run_arm(request, _list)


async def _list(session: ArmSession) -> int:
    used, found = session.target.environment.subscription, list[Subscription]()

    async def noted() -> AsyncGenerator[RowPage[Subscription], None]:
        async with aclosing(subscription_pages(session.client)) as pages:
            async for page in pages:
                found.extend(page)
                yield page

    def symbol(row: Subscription) -> str:
        return "*" if row.id == used else " "

    def cells(row: Subscription) -> tuple[str, ...]:
        return row.id, row.name, row.state, row.tenant, row.offer

    heads = ("id", "name", "state", "tenant", "offer")
    table = Table("subscriptions", "subscription", heads, symbol, cells)
    code = await write_list(session, noted(), table)
    if found:
        await explain_limited(session, found)
    elif code == ExitCode.HEALTHY:
        await explain_none(session)
    return code
