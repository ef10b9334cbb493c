"""`stacktui identities managed list`: the user-assigned identities."""

from __future__ import annotations

import click

from stacktui.cli.arm import ArmSession, run_arm
from stacktui.cli.arm_lists import Table, write_list
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.ask import RemoteError
from stacktui.cli.options import ArmRequest, examples, reads_arm
from stacktui.resources.groups import group_path
from stacktui.resources.managed_identities import (
    ManagedIdentityError,
    UserIdentity,
    identity_pages,
    identity_version,
)
from stacktui.resources.subscriptions import subscription_path


def _cells(identity: UserIdentity) -> tuple[str, ...]:
    return (
        identity.name,
        identity.location,
        identity.client_id,
        identity.principal_id,
        identity.id,
    )


_TABLE = Table(
    "identities",
    "managed identity",
    ("name", "principal id", "client id", "location"),
    lambda _: "✓",
    _cells,
    order=(0, 3, 2, 1),
)


@click.command(
    epilog=examples(
        "stacktui identities managed list -e Azure",
        "stacktui identities managed list --group DevTest --format jsonl | jq -r .id",
    )
)
@click.option("--group", metavar="NAME", help="List those of this resource group alone.")
@reads_arm()
def command(request: ArmRequest, group: str | None) -> None:
    """List the user-assigned identities of a subscription, or of one of its resource groups.

    A VM signs in by the client id; roles are granted to the principal id.
    """

    async def listed(session: ArmSession) -> int:
        client, subscription = session.client, await subscription_of(session)
        try:
            version = await identity_version(client, subscription)
        except ManagedIdentityError as error:
            raise RemoteError(f"{error}; {error.help}") from None
        scope = subscription_path(client, subscription, "the managed identities")
        if group is not None:
            scope = group_path(client, subscription, group)
        of = {"subscription": subscription}
        return await write_list(session, identity_pages(client, scope, version), _TABLE, of)

    run_arm(request, listed)
