"""`stacktui groups`: the resource groups of a subscription."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="List resource groups, and show one with its locks and resources.",
    table={
        "list": "List the resource groups of a subscription.",
        "show": "Show a resource group: tags, locks, deployments, resources, permissions.",
    },
    epilog=examples("stacktui groups list", "stacktui groups show rg-web-prod-01"),
)
