"""`stacktui identities managed grant`: give an identity Reader on its group."""

from __future__ import annotations

import click

from stacktui.cli.identities.managed.steps import does_steps
from stacktui.cli.options import examples
from stacktui.resources.identity_steps import WalkStepName


@click.command(
    epilog=examples(
        "stacktui identities managed grant --group DevTest --name id-app",
    )
)
@does_steps(WalkStepName.GRANT)
def command() -> None:
    """Give a user-assigned identity Reader on its resource group.

    An identity that was just made may not be known yet: that is waited for, two minutes at most.
    For other roles and scopes: `stacktui identities grant` with its principal id.
    """
