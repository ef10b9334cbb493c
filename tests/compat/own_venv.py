"""Third-party programs, each in its own virtual environment under `.cache/`."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def wanted(*, release: bool = False) -> bool:
    """Return whether programs may be installed here: `STACKTUI_COMPAT=1` allows those for every
    change, `STACKTUI_COMPAT=release` all."""
    return os.environ.get("STACKTUI_COMPAT") in (("release",) if release else ("1", "release"))


def own_venv(
    name: str,
    requirements: Sequence[str],
    works: Callable[[Path], bool],
    python: str = sys.executable,
) -> Path:
    """Return the environment with `requirements`, made once.

    Test processes that start together wait for each other.
    """
    folder = CHECKOUT / ".cache" / name
    folder.parent.mkdir(exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not works(folder):
            subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
            # Most modules of az are never imported; Python compiles the others on import.
            pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
            subprocess.run([*pip, *requirements], check=True)
            if not works(folder):
                raise RuntimeError(f"{folder} does not work after its installation")
    return folder


def older_python() -> str:
    """Return an interpreter of 3.12 at most, the newest that azure-cli 2.66 supports."""
    if sys.version_info < (3, 13):
        return sys.executable
    return shutil.which("python3.12") or shutil.which("python3.11") or sys.executable
