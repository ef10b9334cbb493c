"""pipx and uv, which a machine may not have."""

from __future__ import annotations

from pathlib import Path

from .own_venv import own_venv, wanted

PROGRAMS = ("pipx", "uv")


def installers_in(folder: Path) -> Path | None:
    """Return the folder, with both programs and no others in it; None where none may be installed.

    The Python of their environment stays out of PATH.
    """
    if not wanted():
        return None

    def works(found: Path) -> bool:
        return all((found / "bin" / name).exists() for name in PROGRAMS)

    own = own_venv("installers", ["pipx==1.*", "uv==0.*"], works)
    folder.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        (folder / name).symlink_to(own / "bin" / name)
    return folder
