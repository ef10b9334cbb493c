"""`stacktui groups`: the resource groups of a subscription."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="List resource groups, show one with its locks and resources; create, tag, delete.",
    table={
        "list": "List the resource groups of a subscription.",
        "show": "Show a resource group: tags, locks, deployments, resources, permissions.",
        "create": "Create a resource group at a location of the stamp.",
        "tag": "Set and remove tags of a resource group; the others stay.",
        "delete": "Delete a resource group and all that is in it.",
    },
    epilog=examples(
        "stacktui groups list",
        "stacktui groups show rg-web-prod-01",
        "stacktui groups create rg-test --location local --tag env=test",
    ),
)
