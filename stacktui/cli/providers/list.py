"""`stacktui providers list`: the resource providers of a subscription."""

from __future__ import annotations

import click

from stacktui.cli.arm import ArmSession, run_arm
from stacktui.cli.arm_lists import write_list
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.options import ArmRequest, examples, reads_arm
from stacktui.cli.providers.table import PROVIDERS
from stacktui.resources.providers import provider_pages


@click.command(
    epilog=examples(
        "stacktui providers list", "stacktui providers list -e West --format tsv | cut -f1,2"
    )
)
@reads_arm()
def command(request: ArmRequest) -> None:
    """List the resource providers of a subscription, and which of them are registered.

    Those that the samples of the vendor's documents need are marked: Microsoft.Compute, Network,
    Storage and KeyVault. Prints a table, one JSON document, ARM's objects one a line (jsonl), or
    namespace, state, number of types and mark (tsv).
    """
    run_arm(request, _list)


async def _list(session: ArmSession) -> int:
    subscription = await subscription_of(session)
    pages = provider_pages(session.client, subscription)
    return await write_list(session, pages, PROVIDERS, {"subscription": subscription})
