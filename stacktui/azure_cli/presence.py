"""The facts of `az` on this machine, if installed. Light to import: every check does."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from stacktui.azure_cli.launchers import launchers
from stacktui.config.locations import is_demo
from stacktui.text.sanitize import escape_control_chars

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts

# az 2.66 reads the first (any value but an empty one counts, `0` too), its old ADAL library the
# second.
UNVERIFIED = ("AZURE_CLI_DISABLE_CONNECTION_VERIFICATION", "ADAL_PYTHON_SSL_NO_VERIFY")

# The clouds that az has without registration.
BUILT_IN = frozenset({"AzureCloud", "AzureChinaCloud", "AzureUSGovernment", "AzureGermanCloud"})


def is_worth_a_look() -> bool:
    """Return whether any `az` is installed, or one of its variables is set. A few `stat` calls."""
    return not is_demo() and (bool(launchers()) or any(map(os.environ.get, UNVERIFIED)))


def az_facts(profiles: Collection[str]) -> AzFacts | None:
    """Return the facts of `az`; `profiles` are those it knows.

    None if it is not installed and none of its variables is set, and in a demo. Blocks on disk;
    never raises.
    """
    if is_demo():
        return None
    set_here = tuple(
        (name, escape_control_chars(value[:40]))
        for name in UNVERIFIED
        if (value := os.environ.get(name))
    )
    found = launchers()
    if not found and not set_here:
        return None
    from stacktui.azure_cli.facts import read_facts

    return read_facts(found, set_here, profiles)
