"""`stacktui groups`: the resource groups of a subscription."""

from __future__ import annotations

import click

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

# The one-line help of each command; its module has the command's name.
_COMMANDS = {
    "list": "List the resource groups of a subscription.",
    "show": "Show a resource group: tags, locks, deployments, resources, permissions.",
}


@click.group(
    cls=LazyGroup,
    package=__name__,
    table=_COMMANDS,
    epilog=examples("stacktui groups list", "stacktui groups show rg-web-prod-01"),
)
def command() -> None:
    """List resource groups, and show one with its locks and resources."""
