"""`stacktui identities managed prove`: use an identity, on the VM that has it."""

from __future__ import annotations

import click

from stacktui.cli.identities.managed.steps import does_steps
from stacktui.cli.options import examples
from stacktui.resources.identity_steps import WalkStepName


@click.command(
    epilog=examples(
        "stacktui identities managed prove --group DevTest --name id-app",
    )
)
@does_steps(WalkStepName.PROVE)
def command() -> None:
    """Read the resource group with the identity's own token, on the VM that has it.

    The token comes from the instance metadata service, for the client id of the identity. Where
    none answers, as on any other machine, the step is skipped, and the two curl lines for the VM
    are printed. Exits with 1 if the identity gets no token, or may not read the group.
    """
