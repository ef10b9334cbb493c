"""`stacktui identities managed`: user-assigned managed identities, from nothing to a proof."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="User-assigned managed identities: make one, assign it to a VM, and prove that it works.",
    table={
        "list": "List the user-assigned identities of a subscription or a group.",
        "create": "Make a user-assigned identity in a resource group.",
        "assign": "Give it to a VM, beside the identities that the VM has.",
        "grant": "Give it Reader on its resource group.",
        "prove": "Read the group with its token, on the VM that has it.",
        "walk": "All four: create, assign, grant and prove.",
    },
    epilog=examples(
        "stacktui identities managed walk --group DevTest --name id-app --vm vm-app",
        "stacktui identities managed list --group DevTest",
    ),
)
