"""The Azure CLI installations on this machine, and the file of roots that each of them trusts.

`az` trusts the certifi of its own Python, unless REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE is set
(PROTOCOL.md section 6). Its launcher names that Python, and is read, not run:

  pip, pipx      `#!…/bin/python3`, or beside `bin/python`; packages in the launcher's prefix
  deb            `"$bin_dir"/../../opt/az/bin/python3 -Im azure.cli`
  rpm, docker    `PYTHONPATH="$bin_dir/../lib64/az/lib/python3.X/site-packages" python3.X -sm …`
  Homebrew       `…/Cellar/azure-cli/V/libexec/bin/python -Im azure.cli`, where certifi is another
                 formula's, which a .pth file adds, and its cacert.pem a link to ca-certificates'
  install script `…/lib/azure-cli/bin/python -m azure.cli`
  MSI, ZIP       `"%~dp0\\..\\python.exe" -IBm azure.cli`; packages in the launcher's prefix
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO

from stacktui.azure_cli.child import kill_with_children
from stacktui.azure_cli.launchers import PLACES, launchers, on_path
from stacktui.config.child_environment import child_environment
from stacktui.errors import is_exhaustion
from stacktui.python_clients.site_packages import (
    added_folders,
    certifi_bundle,
    is_package_folder,
    is_venv,
    names_in,
    package_folders,
    prefix_of,
    python_version_of,
    read_text,
)

# How long `az --version` may take. It checks for updates over the network.
_PATIENCE = 10.0
_MAX_OUTPUT = 64 * 1024
# The launcher's folder as launchers name it, and its placeholder while parsing, as the folder may
# have blanks.
_HERE = "\0"
_FOLDER = re.compile(r'"\$bin_dir"|\$bin_dir')
_WORD = re.compile(r"""["]([^"\n]*)["]|([^\s"'`=;&|<>()]+)""")
_PYTHON = re.compile(r"[\\/]python[\d.]*(?:\.exe)?\Z")
_VERSION = re.compile(r"^__version__ = [\"']([\w.+-]{1,32})[\"']", re.MULTILINE)
_METADATA = re.compile(r"azure_cli(?:_core)?-([\w.+]{1,32}?)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_URLLIB3 = re.compile(r"urllib3-([\w.+]{1,32}?)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_LOCATION = re.compile(r"^Python location '([^'\n]+)'", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AzureCli:
    """One installation. `version` may be empty; `cacert` is resolved, and may not exist.

    `python` (`3.12`) and `urllib3` are the versions of what it verifies hosts with; empty where no
    file says them. `interpreter` is the path of the Python that the launcher starts; empty where
    that depends on more than the launcher.
    """

    launcher: Path
    prefix: Path
    version: str
    cacert: Path
    python: str = field(default="", compare=False)
    urllib3: str = field(default="", compare=False)
    interpreter: str = field(default="", compare=False)


def find_azure_clis(places: Iterable[str] = PLACES, *, ask: bool = True) -> tuple[AzureCli, ...]:
    """Return the installations whose launchers are on PATH (in its order) or in `places`.

    Of those that share a cacert.pem, only the first. Reads files. Only if the `az` that a shell
    would run has no known form, and with `ask`, runs `az --version`, for at most 10 s and once for
    the same launcher. Never raises.
    """
    first = on_path()[:1] if ask else ()
    found: dict[Path, AzureCli] = {}
    for launcher in launchers(places):
        cli = _read(launcher)
        if cli is None and launcher in first:
            cli = _asked(launcher)
        if cli is not None:
            found.setdefault(cli.cacert, cli)
    return tuple(found.values())


def is_of_known_form(launcher: Path) -> bool:
    """Return whether a launcher names an installation; a wrapper script, say, does not."""
    return _read(launcher) is not None


def _read(launcher: Path) -> AzureCli | None:
    """Return the installation that a launcher of a known form names."""
    text = read_text(launcher)
    path = os.path.realpath(launcher)
    shebang, pythons, packages = _named(text, os.path.dirname(path))
    own = os.path.dirname(os.path.dirname(path))
    prefixes = [prefix_of(python) for python in pythons]
    if not shebang:
        prefixes.append(own)
    elif is_venv(prefix_of(shebang)):
        prefixes += [prefix_of(shebang), own]
    else:  # the system's Python, to which what `pip install --user` made comes first
        prefixes += [os.path.expanduser("~/.local"), own, prefix_of(shebang)]
    version = next(
        (found for python in (*pythons, shebang) if (found := python_version_of(python))), ""
    )
    interpreter = shebang or (pythons[0] if len(pythons) == 1 and _is_script(text) else "")
    folders = [*packages, *package_folders(prefixes, version)]
    cli = _installation(launcher, folders)
    return replace(cli, interpreter=interpreter) if cli is not None else None


def _is_script(text: str) -> bool:
    """Return whether a launcher is a script of a Unix shell that starts always the same."""
    return text.startswith("#!") and "else" not in text.split()


def _named(text: str, folder: str) -> tuple[str, list[str], list[str]]:
    """Return the Python of the launcher's first line, the others it names, and package folders.

    Absolute paths only; `folder` is the launcher's.
    """
    text = _FOLDER.sub(_HERE, text)
    shebang, pythons, packages = "", [], []
    for quoted, bare in _WORD.findall(text):
        word = (quoted or bare).removeprefix("#!")
        path = os.path.normpath(word.replace(_HERE, folder)) if word else ""
        if not os.path.isabs(path) or "$" in word or "%" in word:
            continue
        if is_package_folder(path):
            packages.append(path)
        elif _PYTHON.search(path):
            if bare.startswith("#!"):
                shebang = path
            else:
                pythons.append(path)
    return shebang, pythons, packages


def _asked(launcher: Path) -> AzureCli | None:
    """Return the installation that `az --version` reports, for launchers of no known form."""
    try:
        changed = launcher.stat().st_mtime_ns
    except OSError:
        return None
    python = _location(launcher, changed)
    if not python:
        return None
    return _installation(launcher, package_folders([prefix_of(python)], python_version_of(python)))


@lru_cache(maxsize=16)
def _location(launcher: Path, changed: int) -> str:
    """Return the Python that `az --version` prints; `changed` (the mtime) is for the cache key."""
    try:
        process = subprocess.Popen(  # noqa: S603  the command that the user has as `az`
            [launcher, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment() | {"AZURE_CORE_COLLECT_TELEMETRY": "false"},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        if is_exhaustion(error):
            raise
        return ""
    output: list[bytes] = []
    assert process.stdout is not None  # noqa: S101  for the type
    # In a thread, as a pipe that a child of it holds open could not be left otherwise.
    reader = threading.Thread(target=_drain, args=(process.stdout, output), daemon=True)
    reader.start()
    reader.join(_PATIENCE)
    _end(process)
    found = _LOCATION.search(b"".join(output).decode(errors="replace"))
    return found[1] if found else ""


def _drain(stream: IO[bytes], output: list[bytes]) -> None:
    with stream:
        output.append(stream.read(_MAX_OUTPUT))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children."""
    try:
        process.wait(1)  # it closed its output, and is about to end
    except subprocess.TimeoutExpired:
        kill_with_children(process)
        process.wait()


def _installation(launcher: Path, packages: list[str]) -> AzureCli | None:
    """Return the installation in these package folders, which are in the order of imports."""
    home = next((folder for folder in packages if _has_azure(folder)), None)
    if home is None:
        return None
    version = python_version_of(home)
    same = [each for each in packages if not version or python_version_of(each) in ("", version)]
    for folder in (found for each in same for found in (each, *added_folders(each))):
        certifi = os.path.join(folder, "certifi")
        if os.path.isdir(certifi):
            prefix = Path(_prefix_above(home))
            bundle, python = certifi_bundle(certifi), version or python_version_of(folder)
            urllib3 = _version_in(dict.fromkeys((home, folder)), _URLLIB3)
            return AzureCli(launcher, prefix, _azure_version(home), bundle, python, urllib3)
    return None


def _prefix_above(packages: str) -> str:
    """Return the prefix of `lib/python3.X/site-packages`, or of `Lib/site-packages`."""
    folder = os.path.dirname(packages)
    if os.path.basename(folder).startswith("python"):
        folder = os.path.dirname(folder)
    return os.path.dirname(folder)


def _has_azure(packages: str) -> bool:
    return os.path.isdir(os.path.join(packages, "azure", "cli", "core"))


def _azure_version(packages: str) -> str:
    """Return the version in az's code, else (the MSI has compiled code only) in its metadata."""
    core = read_text(os.path.join(packages, "azure", "cli", "core", "__init__.py"))
    found = _VERSION.search(core)
    return found[1] if found else _version_in((packages,), _METADATA)


def _version_in(folders: Iterable[str], metadata: re.Pattern[str]) -> str:
    """Return the version of a package by its folder of metadata; empty if there is none."""
    named = (metadata.fullmatch(name) for each in folders for name in sorted(names_in(each)))
    return next((match[1] for match in named if match), "")
