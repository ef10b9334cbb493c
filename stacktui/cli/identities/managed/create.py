"""`stacktui identities managed create`: make a user-assigned identity."""

from __future__ import annotations

import click

from stacktui.cli.identities.managed.steps import does_steps
from stacktui.cli.options import examples
from stacktui.resources.identity_steps import WalkStepName


@click.command(
    epilog=examples(
        "stacktui identities managed create --group DevTest --name id-app",
    )
)
@does_steps(WalkStepName.CREATE)
def command() -> None:
    """Make a user-assigned identity in a resource group, at the group's location.

    One that is there stays as it is. Where the subscription has no registered provider
    Microsoft.ManagedIdentity, as no Azure Stack Hub has it so far, that is said, and the exit code
    is 1.
    """
