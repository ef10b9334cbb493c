"""`stacktui providers`: the resource providers of a subscription."""

from __future__ import annotations

import click

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

# The one-line help of each command; its module has the command's name.
_COMMANDS = {
    "list": "List the resource providers, and which of them are registered.",
    "show": "Show the resource types of a provider, with their api-versions.",
}


@click.group(
    cls=LazyGroup,
    package=__name__,
    table=_COMMANDS,
    epilog=examples("stacktui providers list", "stacktui providers show Microsoft.Compute"),
)
def command() -> None:
    """List resource providers, and show the api-versions of one."""
