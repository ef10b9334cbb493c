"""Writing a file so that a reader finds the old content or the new, never something between."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

# Ours until somebody widens it: a config may name hosts and accounts.
PRIVATE = 0o600


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` with `content`: same directory, fsync, rename; mode and owner are kept.

    A new file is 0600 and its missing folders 0700. A symbolic link keeps pointing where it
    points; its target is replaced. Raises OSError, and then the old file is untouched.
    """
    target = _target(path)
    _make_folder(target.parent)
    old = target.stat() if target.exists() else None
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if old is not None and hasattr(os, "chown"):
            with suppress(PermissionError):  # only root can give a file away, and need not
                os.chown(temporary, old.st_uid, old.st_gid)
        Path(temporary).chmod(stat.S_IMODE(old.st_mode) if old else PRIVATE)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def _target(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # what Python before 3.13 raises for a loop of links
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def _make_folder(folder: Path) -> None:
    # Path.mkdir would give the mode to the last folder alone.
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync_directory(directory: Path) -> None:
    # The rename itself must reach the disk too; not every platform can open a directory.
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
