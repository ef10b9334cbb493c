"""The interpreters on this machine: of the active environment, on PATH, and those named.

Files are looked up by name; no folder of PATH is listed, and nothing is started.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from stacktui.python_clients.site_packages import changed, read_text

# An active environment's folder.
ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
# As environments and distributions name them; later releases are links from `python3`.
_NAMES = (
    "python",
    "python3",
    *(f"python3.{minor}" for minor in range(8, 20)),
    "python.exe",
    "python3.exe",
)


def interpreters(named: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield the files; `named` are interpreters, or folders of environments.

    The same environment may come under several names. A shim of pyenv's stands for the versions
    that it would start.
    """
    for variable in ACTIVE:
        if folder := os.environ.get(variable):
            yield from _in_environment(folder)
    for folder in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        if not os.path.isabs(folder):  # it depends on where we were started
            continue
        root = os.path.dirname(folder.rstrip(os.sep))
        if os.path.basename(folder.rstrip(os.sep)) == "shims" and _is_folder(root, "versions"):
            for version in _chosen_of_pyenv(root):
                yield from _in_environment(os.path.join(root, "versions", version))
        else:
            yield from _in_folder(folder)
    for each in named:
        yield from interpreters_at(each)


def interpreters_at(named: Path) -> Iterator[Path]:
    """Yield those of an environment's folder, or the file itself; nothing for what is neither."""
    if os.path.isdir(named):
        yield from _in_environment(str(named))
    elif named.name.startswith("python") and os.path.isfile(named) and os.access(named, os.X_OK):
        yield named


def _in_environment(prefix: str) -> Iterator[Path]:
    for folder in ("bin", "Scripts", ""):
        yield from _in_folder(os.path.join(prefix, folder))


def _in_folder(folder: str) -> tuple[Path, ...]:
    return _listed(folder, changed(folder))


@lru_cache(maxsize=256)  # read again where a file was added or removed
def _listed(folder: str, changed: int) -> tuple[Path, ...]:
    paths = (os.path.join(folder, name) for name in _NAMES) if changed else ()
    return tuple(Path(each) for each in paths if os.path.isfile(each) and os.access(each, os.X_OK))


def _is_folder(*parts: str) -> bool:
    return os.path.isdir(os.path.join(*parts))


def _chosen_of_pyenv(root: str) -> list[str]:
    """Return the versions that pyenv's shims start, as a shell with these variables has them."""
    chosen = os.environ.get("PYENV_VERSION") or read_text(os.path.join(root, "version"))
    return chosen.replace(":", " ").split()
