"""`stacktui environments`: an environment's settings, and the record of its stamp."""

from __future__ import annotations

import click

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

# The one-line help of each command; its module has the command's name.
_COMMANDS = {
    "list": "List the environments, and what the last check of each found.",
    "show": "Show an environment's settings, and what was recorded of its stamp.",
    "set": "Change settings of an environment.",
    "import": "Add environments from what another client knows.",
    "export": "Print an environment in the form of another client, or write it into az.",
    "accept": "Accept the login endpoint, the audience and the root that the stamp has now.",
    "forget": "Forget what was recorded of the stamp.",
}


@click.group(
    cls=LazyGroup,
    package=__name__,
    table=_COMMANDS,
    epilog=examples("stacktui environments list", "stacktui environments show West"),
)
def command() -> None:
    """List environments, show and change settings; accept or forget what was recorded."""
