"""Find the launchers of `az` on this machine. Light to import: every check does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# Where an installer puts its launcher; each may be missing from PATH (under cron, sudo or a GUI).
PLACES = (
    "/usr/bin/az",
    "/usr/local/bin/az",
    "/opt/homebrew/bin/az",
    "/home/linuxbrew/.linuxbrew/bin/az",
    "~/.local/bin/az",
    "~/bin/az",
    "~/lib/azure-cli/bin/az",
    "C:/Program Files/Microsoft SDKs/Azure/CLI2/wbin/az.cmd",
    "C:/Program Files (x86)/Microsoft SDKs/Azure/CLI2/wbin/az.cmd",
)
_NAMES = ("az.cmd", "az.bat", "az") if sys.platform == "win32" else ("az",)


def on_path() -> tuple[Path, ...]:
    """Return the launchers on PATH, in its order: the first is the `az` that a shell runs."""
    return tuple(_on_path())


def launchers(places: Iterable[str] = PLACES) -> tuple[Path, ...]:
    """Return the launchers on PATH, in its order, then those in `places`; each once."""
    elsewhere = (Path(os.path.expanduser(place)) for place in places)
    return tuple(dict.fromkeys([*_on_path(), *filter(os.path.isfile, elsewhere)]))


def _on_path() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in _NAMES:
            launcher = os.path.join(folder, name)
            # A relative folder of PATH depends on where we were started.
            runs = os.path.isfile(launcher) and os.access(launcher, os.X_OK)
            if os.path.isabs(folder) and runs:
                yield Path(launcher)
