"""Virtual environments with packages as their metadata tells: that is judged, nothing is run."""

from __future__ import annotations

import venv
from pathlib import Path


def python_environment(
    folder: Path, *packages: str, roots: bytes | None = None, system: bool = False
) -> Path:
    """Make a real environment without pip; `packages` are `name-version`. Return its interpreter.

    `roots` is the content of its certifi's bundle.
    """
    venv.create(folder, symlinks=True, system_site_packages=system)
    install(site_packages(folder), *packages, roots=roots)
    return folder / "bin" / "python"


def site_packages(folder: Path) -> Path:
    (found,) = folder.glob("lib/python3.*/site-packages")
    return found


def install(folder: Path, *packages: str, roots: bytes | None = None) -> None:
    """Write the metadata of packages into a package folder, and a certifi with `roots`."""
    for each in packages:
        metadata = folder / f"{each}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text("Metadata-Version: 2.1\n")
    if roots is not None:
        (folder / "certifi").mkdir()
        (folder / "certifi" / "cacert.pem").write_bytes(roots)
