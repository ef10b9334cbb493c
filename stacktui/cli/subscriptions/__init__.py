"""`stacktui subscriptions`: what an identity can see, and which one an environment uses."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="List subscriptions, and choose the one that an environment uses.",
    table={
        "list": "List the subscriptions that the identity of an environment sees.",
        "use": "Choose the subscription of an environment.",
    },
    epilog=examples("stacktui subscriptions list", "stacktui subscriptions use Production"),
)
