"""The azure packages of each Python environment, by `pyvenv.cfg` and `*.dist-info` alone.

Nothing is imported or started. What these files say is not trusted: names and versions are taken
where they have their form, and everything is read with bounds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from stacktui.python_clients.interpreters import interpreters, interpreters_at
from stacktui.python_clients.site_packages import (
    added_folders,
    certifi_bundle,
    changed,
    is_venv,
    names_in,
    package_folders,
    prefix_of,
    python_version_of,
    venv_settings,
)

# A folder of package metadata (PEP 427, PEP 503), of Microsoft's packages for Azure, or of pip.
_DIST_INFO = re.compile(
    r"(pip|azure[a-z0-9._]{0,80})-([0-9][a-z0-9.+!]{0,40})\.dist-info", re.ASCII | re.IGNORECASE
)
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){1,2}", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)
# Of an environment of az's own, which is no client that anybody writes programs in.
_AZ = "azure-cli-core"
# Management packages that talk to no resource provider themselves.
_NO_CLIENT = ("azure-mgmt-core", "azure-mgmt-nspkg")
# A machine has few environments, and an environment few .pth files.
_MAX_ENVIRONMENTS, _MAX_ADDED = 64, 32
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package: its normalised name, and its version."""

    name: str
    version: str

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(int(number) for number in _NUMBER.findall(self.version))

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class PythonEnvironment:
    """A Python with azure packages: the interpreter, as a user starts it, and its version.

    `version` is empty where no file says it. `packages` are sorted by name. `ca_bundle` is the file
    of roots that its certifi names, None without certifi. A virtual environment without pip is one
    of uv's, which installs packages in its place.
    """

    python: Path
    version: str
    packages: tuple[Package, ...]
    ca_bundle: Path | None
    has_pip: bool = True

    @property
    def has_client(self) -> bool:
        """Whether it has a package that talks to ARM."""
        names = (each.name for each in self.packages)
        return any(name.startswith("azure-mgmt-") and name not in _NO_CLIENT for name in names)


def find_environments(named: Iterable[Path] = ()) -> tuple[PythonEnvironment, ...]:
    """Return the environments that have azure packages, each once; not those of az itself.

    Blocks on disk, for files of bounded size. Never raises.
    """
    found: dict[tuple[str, str], PythonEnvironment | None] = {}
    for python in interpreters(named):
        prefix, version = key = _located(python, changed(os.path.dirname(python)))
        if key not in found and len(found) < _MAX_ENVIRONMENTS:
            found[key] = _environment(python, prefix, version)
    return tuple(each for each in found.values() if each is not None)


def has_packages(named: Path) -> bool:
    """Return whether `find_environments` lists an interpreter, or a folder of an environment."""
    for python in interpreters_at(named):
        located = _located(python, changed(os.path.dirname(python)))
        if _environment(python, *located) is not None:
            return True
    return False


@lru_cache(maxsize=256)
def _located(python: Path, changed: int) -> tuple[str, str]:
    """Return the prefix of an interpreter, resolved, and the `3.X` of its name.

    A virtual environment has one Python, whatever the name. `changed` is for the cache key.
    """
    own = prefix_of(str(python))
    if is_venv(own):
        return os.path.realpath(own), ""
    return os.path.realpath(prefix_of(os.path.realpath(python))), python_version_of(str(python))


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read, and when what it was read from had changed."""

    environment: PythonEnvironment | None
    stamps: tuple[tuple[str, int], ...]


_known: dict[tuple[Path, str, str], _Known] = {}


def _environment(python: Path, prefix: str, version: str) -> PythonEnvironment | None:
    """Return an environment, None if it has no azure packages; read again after a change."""
    key = python, prefix, version
    known = _known.get(key)
    if known is None or any(changed(path) != stamp for path, stamp in known.stamps):
        known = _known[key] = _read(python, prefix, version)
        while len(_known) > _KEPT:
            _known.pop(next(iter(_known)), None)  # as another thread may have
    return known.environment


def _read(python: Path, prefix: str, version: str) -> _Known:
    settings = venv_settings(prefix)
    version = version or python_version_of(str(python))
    prefixes = [prefix] if settings else [os.path.expanduser("~/.local"), prefix]
    folders = _with_added(
        each for each in package_folders(prefixes, version)
        if not version or python_version_of(each) in ("", version)
    )  # fmt: skip
    above = (os.path.join(each, name) for each in prefixes for name in ("lib", "lib64", "Lib"))
    watched = (os.path.join(prefix, "pyvenv.cfg"), *above, *folders)
    stamps = tuple((each, changed(each)) for each in watched)
    packages: dict[str, Package] = {}
    for folder in folders:
        for package in _packages(folder):
            packages.setdefault(package.name, package)
    has_pip = packages.pop("pip", None) is not None or not settings
    if not packages or _AZ in packages:
        return _Known(None, stamps)
    certifis = (os.path.join(folder, "certifi") for folder in folders)
    certifi = next(filter(os.path.isdir, certifis), None)
    full = _VERSION.match(settings.get("version") or settings.get("version_info", ""))
    found = PythonEnvironment(
        python,
        full[0] if full else version or next(filter(None, map(python_version_of, folders)), ""),
        tuple(packages[name] for name in sorted(packages)),
        certifi_bundle(certifi) if certifi else None,
        has_pip,
    )
    return _Known(found, stamps)


def _with_added(folders: Iterable[str]) -> list[str]:
    """Return the folders, and after each those that its .pth files add."""
    found = (
        each for folder in folders for each in (folder, *islice(added_folders(folder), _MAX_ADDED))
    )
    return list(dict.fromkeys(map(os.path.realpath, found)))


def _packages(folder: str) -> tuple[Package, ...]:
    """Return the azure packages in a package folder; of one that is there twice, the newer."""
    found: dict[str, Package] = {}
    for entry in names_in(folder):
        named = _DIST_INFO.fullmatch(entry)
        # What an interrupted removal leaves has no METADATA.
        if named and os.path.isfile(os.path.join(folder, entry, "METADATA")):
            package = Package(re.sub(r"[-_.]+", "-", named[1]).lower(), named[2])
            known = found.setdefault(package.name, package)
            if known.release < package.release:
                found[package.name] = package
    return tuple(found.values())
