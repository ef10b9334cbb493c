"""The backup of a file that is not ours, made beside it before stacktui changes it."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from stacktui.config.atomic import write_atomically
from stacktui.text.sanitize import escape_control_chars

BACKUP = ".before-stacktui"


def backup_of(path: Path) -> Path:
    """Return the path of a file's backup: beside the file that `path` links to."""
    target = path.resolve()
    return target.with_name(target.name + BACKUP)


def back_up(path: Path, content: bytes) -> Path:
    """Write `content`, the file's, to its backup, with the file's mode and owner.

    Raises OSError.
    """
    copy = backup_of(path)
    if copy.is_symlink():  # whoever may write here could have another file overwritten
        text = "is a link, so no backup is written over it; remove it first"
        raise FileExistsError(errno.EEXIST, escape_control_chars(f"{copy} {text}"), str(copy))
    status = path.stat()
    write_atomically(copy, content, mode=stat.S_IMODE(status.st_mode))
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root can give a file away, and need not
            os.chown(copy, status.st_uid, status.st_gid)
    return copy
