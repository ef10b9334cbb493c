"""`stacktui identities managed walk`: all steps to an identity that works."""

from __future__ import annotations

import click

from stacktui.cli.identities.managed.steps import does_steps
from stacktui.cli.options import examples
from stacktui.resources.identity_steps import WalkStepName


@click.command(
    epilog=examples(
        "stacktui identities managed walk --group DevTest --name id-app --vm vm-app",
    )
)
@does_steps(*WalkStepName)
def command() -> None:
    """Create an identity, assign it to a VM, grant it Reader on its group, and use it.

    Each step says what it will change and asks; what is there already stays, so run it again after
    any fault. Nothing is changed before group, VM and provider have been found. As JSON:
    {"ok": …, "steps": [{"name", "outcome": ok|already|failed|skipped, …}]}. Exits with 1 if a step
    failed.
    """
