"""Package folders of a Python, and its file of roots, as its files tell; nothing is started.

Everything is read with bounds. Used for `az` too, which is a Python program.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from stacktui.errors import is_exhaustion

_KINDS = ("site", "dist")
# pyvenv.cfg, .pth files and certifi's core.py have a few hundred bytes, launchers too.
_MAX_TEXT = 64 * 1024
# Far more than a package folder has.
_MAX_NAMES = 20_000
_PACKAGES = re.compile(r"[\\/](?:site|dist)-packages\Z")
_MAJOR = re.compile(r"python3")
_PYTHON_VERSION = re.compile(r"python(\d+\.\d+)")
_ADDED = re.compile(r"""addsitedir\(\s*["']([^"'\n]+)["']""")
# Debian and Fedora have certifi return the system's bundle; its own cacert.pem lies there unused.
_ELSEWHERE = re.compile(r"""["'](/[^"'\s]+\.(?:crt|pem))["']""")


def prefix_of(python: str) -> str:
    """Return the prefix of an interpreter, not resolved: a venv's links to the system's."""
    folder = os.path.dirname(python)
    if os.path.basename(folder).lower() in ("bin", "scripts"):
        return os.path.dirname(folder)
    return folder  # python.exe of an MSI


def python_version_of(path: str) -> str:
    """Return the `3.X` of an interpreter or a package folder, empty if neither has it."""
    if not path:
        return ""
    name = path if is_package_folder(path) else os.path.basename(os.path.realpath(path))
    found = _PYTHON_VERSION.search(name)
    return found[1] if found else ""


def is_package_folder(path: str) -> bool:
    return _PACKAGES.search(path) is not None


def package_folders(prefixes: Iterable[str], version: str) -> list[str]:
    """Return the package folders that exist under these prefixes, those of that Python first."""
    found: dict[str, None] = {}
    for prefix in _with_bases(prefixes):
        here = [os.path.join(prefix, "Lib", "site-packages")]
        for library in (os.path.join(prefix, "lib"), os.path.join(prefix, "lib64")):
            pythons = sorted(filter(_MAJOR.match, names_in(library)), key=_newest_first)
            here += [
                os.path.join(library, each, f"{kind}-packages")
                for each in pythons
                for kind in _KINDS
            ]
        found |= dict.fromkeys(filter(os.path.isdir, here))
    return sorted(found, key=lambda folder: python_version_of(folder) not in ("", version))


def _newest_first(name: str) -> list[int]:
    return [-int(number) for number in re.findall(r"\d+", name)]


def _with_bases(prefixes: Iterable[str]) -> Iterator[str]:
    """Return each prefix, and the one whose packages its Python also imports."""
    for prefix in prefixes:
        if prefix == "/usr":  # Debian and Fedora have pip install there
            yield "/usr/local"
        yield prefix
        settings = venv_settings(prefix)
        if settings.get("include-system-site-packages", "").lower() == "true":
            yield os.path.dirname(settings.get("home", ""))


def is_venv(prefix: str) -> bool:
    return os.path.isfile(os.path.join(prefix, "pyvenv.cfg"))


def venv_settings(prefix: str) -> dict[str, str]:
    """Return the settings in `pyvenv.cfg` of a virtual environment; empty for other prefixes."""
    lines = read_text(os.path.join(prefix, "pyvenv.cfg")).splitlines()
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def added_folders(packages: str) -> Iterator[str]:
    """Return the folders that the .pth files in this one add to `sys.path`."""
    for name in sorted(names_in(packages)):
        if not name.endswith(".pth"):
            continue
        for line in read_text(os.path.join(packages, name)).splitlines():
            if line.startswith("import"):
                yield from _ADDED.findall(line)
            elif line.strip() and not line.startswith("#"):
                yield os.path.join(packages, line.strip())


def certifi_bundle(certifi: str) -> Path:
    """Return what `certifi.where()` of this package returns, resolved."""
    elsewhere = _ELSEWHERE.search(read_text(os.path.join(certifi, "core.py")))
    bundle = elsewhere[1] if elsewhere else os.path.join(certifi, "cacert.pem")
    return Path(os.path.realpath(bundle))


def changed(folder: str) -> int:
    """Return when a folder changed (ns), as a key of a cache; 0 if it is not there."""
    try:
        return os.stat(folder).st_mtime_ns
    except (OSError, ValueError):
        return 0


def names_in(folder: str) -> list[str]:
    """Return the names in a folder, of very many only some; empty if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [each.name for each in islice(entries, _MAX_NAMES)]
    except (OSError, ValueError) as error:
        if is_exhaustion(error):
            raise
        return []


def read_text(path: Path | str) -> str:
    """Return the beginning of a text file; empty if it cannot be read, or is binary."""
    try:
        if not os.path.isfile(path):
            return ""
        with open(path, "rb") as file:
            content = file.read(_MAX_TEXT)
    except (OSError, ValueError) as error:
        if is_exhaustion(error):
            raise
        return ""
    if content.startswith((b"\x7fELF", b"MZ")):
        return ""
    return content.replace(b"\0", b"").decode(errors="replace")  # no path may hold a NUL
