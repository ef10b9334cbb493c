"""`stacktui identities managed assign`: give an identity to a VM."""

from __future__ import annotations

import click

from stacktui.cli.identities.managed.steps import does_steps
from stacktui.cli.options import examples
from stacktui.resources.identity_steps import WalkStepName


@click.command(
    epilog=examples(
        "stacktui identities managed assign --group DevTest --name id-app --vm vm-app",
    )
)
@does_steps(WalkStepName.ASSIGN)
def command() -> None:
    """Give a user-assigned identity to a VM, beside all identities that the VM has.

    Shows them before and after. What the VM had and has no more, because somebody else changed it
    meanwhile, is named.
    """
