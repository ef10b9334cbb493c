"""Files of a check that other users of this machine may read or change (POSIX mode bits).

A file in a folder that those users may not enter is not open to them. Folders above the config's
are not examined. Windows has no mode bits, and its access lists are not read: nothing is open.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stacktui.certificates.files import is_pfx
from stacktui.config.bounded_read import FileReadError, read_bounded
from stacktui.config.locations import config_directory
from stacktui.config.read_only import refuse_if_read_only
from stacktui.errors import StacktuiError
from stacktui.identities.model import CertificateRef, FileSecret, Identity

# No file with a key is larger.
_MAX_SIZE = 1024 * 1024
_READ, _WRITE, _ENTER = 0o4, 0o2, 0o1


class ModeError(StacktuiError):
    """A file's mode cannot be read or changed."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file or folder of `mode`, which should be `wanted`.

    `who` ("its group", "others" or both) may read a secret in it or, where it is `writable`, change
    what decides where secrets go.
    """

    path: Path
    who: str
    mode: int
    wanted: int
    writable: bool = False
    is_folder: bool = False


def open_files(config: Path, identity: Identity | None) -> tuple[OpenFile, ...]:
    """Return what is open of the identity's file, the config and its folders.

    Blocks on disk. A file that is missing, empty or not regular is left out. Never raises.
    """
    if sys.platform == "win32":
        return ()
    return tuple(dict.fromkeys((*_readable(identity), *_writable(config))))


def set_mode(path: Path, mode: int) -> int:
    """Set the mode of a file, and return the one before. Blocks on disk. Raises ModeError."""
    refuse_if_read_only()
    before = mode_of(path)
    try:
        path.chmod(mode)
    except OSError as error:
        raise ModeError(f"{path}: its mode cannot be changed ({error.strerror})") from None
    return before


def mode_of(path: Path) -> int:
    """Return the mode of a file. Blocks on disk. Raises ModeError."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise ModeError(f"{path}: its mode cannot be read ({error.strerror})") from None


def _readable(identity: Identity | None) -> Iterator[OpenFile]:
    found = (identity.credential, identity.secret) if identity else ()
    for each in dict.fromkeys(found):
        if isinstance(each, FileSecret | CertificateRef):
            yield from _if_readable(each)


def _if_readable(credential: FileSecret | CertificateRef) -> Iterator[OpenFile]:
    path = credential.path.absolute()
    status = _stat(path)
    if status is None or not stat.S_ISREG(status.st_mode) or not status.st_size:
        return
    # Of root's or another user's file, the group's right is what lets this user read it.
    by_group = sys.platform != "win32" and os.geteuid() not in (0, status.st_uid)
    who = _allowed(path, status, _READ, others_only=by_group)
    if who and (isinstance(credential, FileSecret) or _has_key(path)):
        mode = stat.S_IMODE(status.st_mode)
        yield OpenFile(path, who, mode, 0o640 if by_group else 0o600)


def _writable(config: Path) -> Iterator[OpenFile]:
    """Yield the folders and the config, where others may replace what decides where secrets go."""
    own, config = config_directory(), config.absolute()
    for folder in dict.fromkeys((own, config.parent)):
        status = _stat(folder)
        # The sticky bit keeps a config, but not from adding a bundle of roots to our own folder.
        kept = status is not None and status.st_mode & stat.S_ISVTX and folder != own
        if status is not None and not kept:
            yield from _if_writable(folder, status, 0o700 if folder == own else None)
    status = _stat(config)
    if status is not None and stat.S_ISREG(status.st_mode):
        yield from _if_writable(config, status, 0o600 if config.parent == own else None)


def _if_writable(path: Path, status: os.stat_result, wanted: int | None) -> Iterator[OpenFile]:
    """`wanted` is None for what others may have to read: then they lose the right to write."""
    is_folder = stat.S_ISDIR(status.st_mode)
    if who := _allowed(path, status, _WRITE | (_ENTER if is_folder else 0)):
        mode = stat.S_IMODE(status.st_mode)
        wanted = mode & ~0o022 if wanted is None else wanted
        yield OpenFile(path, who, mode, wanted, writable=True, is_folder=is_folder)


def _allowed(path: Path, status: os.stat_result, right: int, *, others_only: bool = False) -> str:
    """Return who has `right` on a file and may enter the folders above it; "" for nobody."""
    group = not others_only and status.st_mode >> 3 & right == right
    others = status.st_mode & right == right
    if group or others:
        for folder in Path(os.path.realpath(path)).parents:
            above = _stat(folder)
            others = others and above is not None and bool(above.st_mode & _ENTER)
            group = group and above is not None and _group_enters(above, status.st_gid)
    return " and ".join(who for who, may in (("its group", group), ("others", others)) if may)


def _group_enters(folder: os.stat_result, group: int) -> bool:
    return bool(folder.st_mode >> (3 if folder.st_gid == group else 0) & _ENTER)


def _has_key(path: Path) -> bool:
    try:
        content = read_bounded(path, _MAX_SIZE)
    except FileReadError:
        return False
    return b"PRIVATE KEY-----" in content or is_pfx(content)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        return None
