"""`stacktui providers`: the resource providers of a subscription."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="List resource providers, show the api-versions of one, and register one.",
    table={
        "list": "List the resource providers, and which of them are registered.",
        "show": "Show the resource types of a provider, with their api-versions.",
        "register": "Register a resource provider for a subscription.",
    },
    epilog=examples("stacktui providers list", "stacktui providers show Microsoft.Compute"),
)
