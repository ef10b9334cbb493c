"""`stacktui operations`: what was begun and goes on in ARM."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="Deletions of resource groups that were begun here and may go on in ARM.",
    table={"list": "List those of an environment, with their state now."},
    epilog=examples("stacktui operations list"),
)
