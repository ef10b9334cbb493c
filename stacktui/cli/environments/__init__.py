"""`stacktui environments`: an environment's settings, and the record of its stamp."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="Register, list, show, change and remove environments; import and export them.",
    table={
        "list": "List the environments, and what the last check of each found.",
        "show": "Show an environment's settings and endpoints, and what was recorded of its stamp.",
        "add": "Register an environment by its URL.",
        "set": "Change settings of an environment.",
        "use": "Make an environment the active one.",
        "detect": "Find the newest profile that a stamp accepts.",
        "aliases": "List az's aliases for VM images, and compare them with what a stamp has.",
        "remove": "Take an environment out of the config.",
        "import": "Add environments from what another client knows.",
        "export": "Print an environment in the form of another client, or write it into az.",
        "accept": "Accept the login endpoint, the audience and the root that the stamp has now.",
        "forget": "Forget what was recorded of the stamp.",
    },
    epilog=examples(
        "stacktui environments add management.west.contoso.example --name West",
        "stacktui environments list",
    ),
)
