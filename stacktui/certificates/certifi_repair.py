"""What this machine has to restore certifi's bundle with, or to use in its place."""

from __future__ import annotations

import os
import ssl
import sys
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

from stacktui.certificates.files import SYSTEM_BUNDLES


class Installer(StrEnum):
    """A program that reinstalls packages in the environment that stacktui runs in."""

    PIP = "pip"
    PIPX = "pipx"
    UV = "uv"


@dataclass(frozen=True, slots=True)
class CertifiRepair:
    """What can be done about a bundle of certifi's that cannot be used.

    `installer` is None where the file is another package's, as some distributions have certifi
    return the system's bundle. `environment` is the name of pipx's. `system_bundle` is a file of
    the system's roots that can be used, empty where there is none.
    """

    installer: Installer | None
    python: str
    environment: str
    system_bundle: str


def repair_of(bundle: str) -> CertifiRepair:
    """Return what can be done about certifi's bundle at this path. Blocks on disk."""
    return CertifiRepair(
        _installer() if _is_certifi_s(bundle) else None,
        sys.executable,
        os.path.basename(sys.prefix),
        next(filter(_is_usable, _system_bundles(bundle)), ""),
    )


def _is_certifi_s(bundle: str) -> bool:
    package = find_spec("certifi")
    here = os.path.dirname(package.origin or "") if package is not None else ""
    return os.path.dirname(bundle) == here and not os.path.islink(bundle)


def _installer() -> Installer | None:
    if os.path.isfile(os.path.join(sys.prefix, "pipx_metadata.json")):
        return Installer.PIPX
    if find_spec("pip") is not None:
        return Installer.PIP
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), encoding="utf-8") as file:
            return Installer.UV if any(line.startswith("uv =") for line in file) else None
    except (OSError, ValueError):
        return None


def _system_bundles(bundle: str) -> list[str]:
    """Return the files of the system's roots; not the broken one itself."""
    there = filter(os.path.isfile, dict.fromkeys(_system_files()))
    return [each for each in there if os.path.realpath(each) != os.path.realpath(bundle)]


def _system_files() -> tuple[str, ...]:
    return (ssl.get_default_verify_paths().openssl_cafile, *SYSTEM_BUNDLES)


def _is_usable(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:  # ssl.SSLError is one too
        return False
    return True
