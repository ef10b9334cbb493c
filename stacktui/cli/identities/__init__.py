"""`stacktui identities`: who signs in, and what they may do on a stamp."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="Show what an identity may do, and grant and revoke roles.",
    table={
        "roles": "Show who is signed in, what they may do, and by which roles.",
        "grant": "Give an identity or an object id a role.",
        "revoke": "Take a role back.",
    },
    epilog=examples(
        "stacktui identities roles -e West",
        "stacktui identities grant ops --role Reader --group DevTest --identity owner",
    ),
)
