"""`stacktui environments`: an environment's settings, and the record of its stamp."""

from __future__ import annotations

import click

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

# The one-line help of each command; its module has the command's name.
_COMMANDS = {
    "list": "List the environments, and what the last check of each found.",
    "show": "Show an environment's settings, and what was recorded of its stamp.",
    "add": "Register an environment by its URL.",
    "set": "Change settings of an environment.",
    "use": "Make an environment the active one.",
    "detect": "Find the newest profile that a stamp accepts.",
    "remove": "Take an environment out of the config.",
    "export": "Print an environment in the form of another client.",
    "accept": "Accept the login endpoint, the audience and the root that the stamp has now.",
    "forget": "Forget what was recorded of the stamp.",
}


@click.group(
    cls=LazyGroup,
    package=__name__,
    table=_COMMANDS,
    epilog=examples(
        "stacktui environments add management.west.contoso.example --name West",
        "stacktui environments list",
    ),
)
def command() -> None:
    """Register, list, show, change and remove environments, and the records of their stamps."""
