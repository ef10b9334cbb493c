"""`stacktui environments`: what is configured and recorded of a stamp, and changing it."""

from __future__ import annotations

import click

from stacktui.cli.lazy import LazyGroup

# Each command, in a module of its own name, and its help.
_COMMANDS = {
    "show": "Show an environment's settings, and what was recorded of its stamp.",
    "set": "Change settings of an environment.",
    "accept": "Accept the login endpoint, the audience and the root that the stamp has now.",
    "forget": "Forget what was recorded of the stamp.",
}


@click.group(cls=LazyGroup, package=__name__, table=_COMMANDS)
def command() -> None:
    """See, change and accept what is configured and recorded of a stamp."""
