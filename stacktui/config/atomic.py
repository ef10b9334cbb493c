"""Writing a file so that a reader finds the old content or the new, never something between."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

# Ours until somebody widens it: a config may name hosts and accounts.
PRIVATE = 0o600


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` with `content`: same directory, fsync, rename; the mode is kept.

    A new file is 0600 and its missing folders 0700. A symbolic link keeps pointing where it
    points; its target is replaced. Raises OSError, and then the old file is untouched.
    """
    target = path.resolve()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else PRIVATE
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


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
