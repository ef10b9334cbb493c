"""Atomic file writes, and a lock so that there is one writer at a time."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stacktui.config.read_only import refuse_if_read_only
from stacktui.text.sanitize import escape_control_chars

# The mode of new files: a config may name hosts and accounts.
PRIVATE = 0o600
# Seconds to wait for the lock: a change takes far less, but a stopped process holds it for ever.
PATIENCE = 10.0
_POLL = 0.02
# The suffix of temporary files, by which those of a killed process are found and removed.
_UNFINISHED = ".stacktui"


def write_atomically(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Replace `path` with `content`: same directory, fsync, rename; mode and owner are kept.

    A new file gets `mode`, missing folders 0700. Of a symbolic link, the target is replaced; one
    that leads to nothing is refused. Raises OSError, or ReadOnlyError, and then the old file is
    unchanged.
    """
    refuse_if_read_only()
    target = _target(path)
    make_folder(target.parent)
    old = target.stat() if target.exists() else None
    descriptor, temporary = tempfile.mkstemp(_UNFINISHED, f".{target.name}.", target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if old is not None and hasattr(os, "chown"):
            with suppress(PermissionError):  # only root may change the owner
                os.chown(temporary, old.st_uid, old.st_gid)
        Path(temporary).chmod(stat.S_IMODE(old.st_mode) if old else mode)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


@contextmanager
def exclusive(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Lock the folder of `path` while the file is read, changed and written.

    Temporary files of a killed process are removed. Where the platform or the file system cannot
    lock a folder, there is no lock. Raises OSError, also where another process holds the lock for
    longer than `patience` seconds.
    """
    target = _target(path)
    make_folder(target.parent)
    descriptor = _locked(target.parent, patience)
    try:
        if descriptor is not None:
            _remove_unfinished(target)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(folder: Path, patience: float) -> int | None:
    """Return a descriptor that holds the lock of `folder` until closed; None if it has no lock."""
    if sys.platform == "win32":
        return None
    import fcntl

    def taken(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that may be written to but not listed
        return None
    deadline = time.monotonic() + patience
    try:
        while not taken(descriptor):
            if time.monotonic() > deadline:
                busy = "another program holds its folder locked"
                raise TimeoutError(errno.ETIMEDOUT, busy, str(folder))
            time.sleep(_POLL)
    except TimeoutError:
        os.close(descriptor)
        raise
    except OSError:  # some network file systems have no locks
        os.close(descriptor)
        return None
    return descriptor


def _remove_unfinished(target: Path) -> None:
    start = f".{target.name}."
    for name in os.listdir(target.parent):
        if name.startswith(start) and name.endswith(_UNFINISHED):
            with suppress(OSError):  # harmless
                (target.parent / name).unlink()


def refuse_dangling_link(path: Path) -> None:
    """Raise FileNotFoundError where `path`, or a folder of it, is a link that leads to nothing.

    Whoever made the link in a shared folder would choose where a new file, with a key in it, goes.
    """
    for each in (path, *path.parents):
        try:
            if each.is_symlink():
                each.stat()
        except FileNotFoundError:
            what = "it" if each == path else f"its folder {each}"
            text = f"{what} is a link to {os.readlink(each)}, which leads to no file"
            text = escape_control_chars(text)
            raise FileNotFoundError(errno.ENOENT, text, str(path)) from None


def _target(path: Path) -> Path:
    refuse_dangling_link(path)
    try:
        return path.resolve()
    except RuntimeError:  # what Python before 3.13 raises for a loop of links
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, all 0700."""
    # Path.mkdir applies the mode to the last folder only.
    if not folder.is_dir():
        make_folder(folder.parent)
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
