"""The database file of the history: made, opened, and set aside where it is damaged.

Several processes use it at once, with a write-ahead log where that can be. Light to import: SQLite
itself is loaded with the first use, in a thread.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.config.atomic import PRIVATE, exclusive, make_folder, refuse_dangling_link
from stacktui.errors import StacktuiError

if TYPE_CHECKING:
    import sqlite3

VERSION = 1
# A check's row holds a `CheckSummary`. A streak's row sums up consecutive checks with the same
# outcome, so that "since when" outlives the rows of the checks.
_SCHEMA = f"""
CREATE TABLE checks (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, environment TEXT NOT NULL, started REAL NOT NULL,
  seconds REAL NOT NULL, ok INTEGER, verdict TEXT NOT NULL, side TEXT NOT NULL, facts TEXT NOT NULL
);
CREATE TABLE streaks (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, began REAL NOT NULL, last REAL NOT NULL, ok INTEGER,
  verdict TEXT NOT NULL, side TEXT NOT NULL, checks INTEGER NOT NULL
);
CREATE INDEX checks_of ON checks (key, id);
CREATE INDEX streaks_of ON streaks (key, id);
CREATE INDEX checks_by_age ON checks (started);
CREATE INDEX streaks_by_age ON streaks (last);
PRAGMA user_version = {VERSION}
"""
# What the file is removed with; a write-ahead log of another database must not be applied to it.
_BESIDE = ("-wal", "-shm", "-journal", "")
# The bytes of the log from which it is written into the database; a check adds about 30 KiB.
_LOGGED = 1024 * 1024
_MOUNTS = Path("/proc/self/mountinfo")
# Types of file systems whose machines share no memory, which a write-ahead log needs.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs"}
)


class HistoryError(StacktuiError):
    """The history cannot be read or written."""


class DamagedHistoryError(HistoryError):
    """The file is no database of ours, or a broken one."""


def make_file(path: Path) -> int:
    """Make sure that the file is there, and return its inode. Raises OSError, HistoryError."""
    refuse_dangling_link(path)
    make_folder(path.parent)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # opening a FIFO or a device could block
        raise HistoryError(f"{path} is no file")
    return found.st_ino


def set_aside(path: Path, inode: int, patience: float) -> Path:
    """Rename a damaged file, unless another process has done so, and return its new path."""
    aside = path.with_name(f"{path.name}.damaged")
    with exclusive(path, patience):
        if path.exists() and path.stat().st_ino == inode:
            for suffix in _BESIDE:
                with suppress(FileNotFoundError):
                    os.replace(f"{path}{suffix}", f"{aside}{suffix}")
    return aside


@contextmanager
def opened(path: Path, patience: float, *, write: bool) -> Iterator[sqlite3.Connection]:
    """Open the history for one transaction, which ends with the context. Raises HistoryError."""
    try:
        import sqlite3
    except ImportError as error:  # as where Python was built without it
        raise HistoryError(f"SQLite cannot be loaded: {error}") from None

    try:
        history = _connect(path, patience, write)
        try:
            yield history
            history.execute("COMMIT")
            _close_without_waiting(history, path)
        finally:
            history.close()
    except sqlite3.Error as error:
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise HistoryError(f"another program holds {path} locked") from None
        # A table or column that is not there, or text that is not UTF-8, is damage as well.
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            raise DamagedHistoryError(f"{path} is damaged") from None
        raise HistoryError(f"{path} cannot be used ({error})") from None


def _connect(path: Path, patience: float, write: bool) -> sqlite3.Connection:
    """Begin a transaction, with a write-ahead log, else with a rollback journal."""
    import sqlite3

    if not _is_on_network(path.parent):
        try:
            return _begun(path, patience, write, wal=True)
        except sqlite3.OperationalError as error:
            if _code(error) not in (
                sqlite3.SQLITE_CANTOPEN,
                sqlite3.SQLITE_IOERR,
                sqlite3.SQLITE_PROTOCOL,
                sqlite3.SQLITE_READONLY,
            ):
                raise
    return _begun(path, patience, write, wal=False)


def _close_without_waiting(history: sqlite3.Connection, path: Path) -> None:
    """Close a connection without writing the log into the database, unless that is due.

    That waits for the disk three times. The connection that is closed last does it, but cannot
    where it can only read. (Python has a setting for that from 3.12 on.)
    """
    import sqlite3

    with suppress(OSError, sqlite3.Error):
        if os.stat(f"{os.path.realpath(path)}-wal").st_size < _LOGGED:
            with closing(_opened(path, 0, "ro")) as reader:
                reader.execute("SELECT 1 FROM checks LIMIT 1").fetchone()
                history.close()


def _opened(path: Path, patience: float, mode: str) -> sqlite3.Connection:
    import sqlite3

    # `rw` or `ro`: the file is never made here, where it would be readable for all.
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, timeout=patience, isolation_level=None, uri=True)


def _begun(path: Path, patience: float, write: bool, *, wal: bool) -> sqlite3.Connection:
    import sqlite3

    history = _opened(path, patience, "rw")
    try:
        if not wal:
            # Only one alone can read a file that has a write-ahead log without shared memory.
            history.execute("PRAGMA locking_mode=EXCLUSIVE")
        _version(history, path)  # a later version's mode stays too
        try:
            if write or not wal:
                history.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}")
        except sqlite3.OperationalError as error:
            # Others use the file as it is: the next one changes its mode.
            if _code(error) != sqlite3.SQLITE_BUSY:
                raise
        history.execute("PRAGMA locking_mode=NORMAL")
        # A power failure loses the last checks at most.
        history.execute("PRAGMA synchronous=NORMAL")
        history.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        if _version(history, path) == 0:
            for statement in _SCHEMA.split(";"):
                history.execute(statement)
    except BaseException:
        history.close()
        raise
    return history


def _version(history: sqlite3.Connection, path: Path) -> int:
    """Return the version, 0 for an empty file. Raises HistoryError for another than ours."""
    version = int(history.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, VERSION):
        raise HistoryError(f"{path} is of version {version}, not {VERSION}")
    return version


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code; SQLITE_ERROR for an error of Python's."""
    return getattr(error, "sqlite_errorcode", 1) & 0xFF


def _is_on_network(folder: Path) -> bool:
    """Return whether other machines can use the folder too; only Linux and Windows tell."""
    if sys.platform == "win32":
        return folder.drive.startswith("\\\\")
    try:
        device = folder.stat().st_dev
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    # proc_pid_mountinfo(5): the third field is the device, the type comes after a lone dash.
    return any(
        fields[2] == number and fields[fields.index("-") + 1] in _NETWORK
        for fields in map(str.split, mounts.splitlines())
        if "-" in fields[2:-1]
    )
