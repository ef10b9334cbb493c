"""`stacktui identities`: who signs in, and what they may do on a stamp."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="List, add, change and test identities; tokens for scripts; roles.",
    table={
        "list": "List the identities, whom each is for, and where its secret is.",
        "show": "Show one identity.",
        "add": "Add an identity to the config.",
        "set": "Change keys of an identity.",
        "import": "Add the service principals that az is signed in with.",
        "remove": "Take an identity out of the config.",
        "test": "Sign in to an environment, and diagnose what goes wrong.",
        "token": "Print a token for scripts.",
        "roles": "Show who is signed in, what they may do, and by which roles.",
        "grant": "Give an identity or an object id a role.",
        "revoke": "Take a role back.",
        "managed": "User-assigned managed identities: make one, and prove that it works.",
    },
    epilog=examples(
        "stacktui identities test ops -e West",
        "stacktui identities roles -e West",
        "stacktui identities grant ops --role Reader --group DevTest --identity owner",
    ),
)
