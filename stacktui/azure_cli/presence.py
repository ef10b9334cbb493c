"""The facts of `az` on this machine, if installed. Light to import: every check does."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.azure_cli.launchers import launchers
from stacktui.config.locations import is_demo
from stacktui.text.sanitize import escape_control_chars

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts

# az 2.66 reads the first (any value but an empty one counts, `0` too), its old ADAL library the
# second.
UNVERIFIED = ("AZURE_CLI_DISABLE_CONNECTION_VERIFICATION", "ADAL_PYTHON_SSL_NO_VERIFY")

# The clouds that az has built in, by the host of their ARM: no stamps.
BUILT_IN_CLOUDS = {
    "management.azure.com": "AzureCloud",
    "management.chinacloudapi.cn": "AzureChinaCloud",
    "management.usgovcloudapi.net": "AzureUSGovernment",
    "management.microsoftazure.de": "AzureGermanCloud",
}


def installed() -> tuple[Path, ...] | None:
    """Return the launchers of `az`; None where `az_facts` returns None. A few `stat` calls."""
    if is_demo():
        return None
    return launchers() or (() if any(map(os.environ.get, UNVERIFIED)) else None)


def az_facts(profiles: Collection[str], found: tuple[Path, ...] | None = None) -> AzFacts | None:
    """Return the facts of `az`; `profiles` are those it knows, `found` is what `installed` said.

    None if it is not installed and none of its variables is set, and in a demo. Blocks on disk;
    never raises.
    """
    found = installed() if found is None else found
    if found is None:
        return None
    set_here = tuple(
        (name, escape_control_chars(value[:40]))
        for name in UNVERIFIED
        if (value := os.environ.get(name))
    )
    from stacktui.azure_cli.facts import read_facts

    return read_facts(found, set_here, profiles)
