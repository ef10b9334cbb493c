"""`stacktui subscriptions`: what an identity can see, and which one an environment uses."""

from __future__ import annotations

import click

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

# The one-line help of each command; its module has the command's name.
_COMMANDS = {
    "list": "List the subscriptions that the identity of an environment sees.",
    "use": "Choose the subscription of an environment.",
}


@click.group(
    cls=LazyGroup,
    package=__name__,
    table=_COMMANDS,
    epilog=examples("stacktui subscriptions list", "stacktui subscriptions use Production"),
)
def command() -> None:
    """List subscriptions, and choose the one that an environment uses."""
