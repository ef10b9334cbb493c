"""The content of a trust store's files and folders, cached until they change."""

from __future__ import annotations

import os
import re
import stat
import threading
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from stacktui.certificates.bundle import additions_in
from stacktui.certificates.file_repair import repair_of
from stacktui.certificates.files import (
    MAX_SIZE,
    WHAT,
    CertificateFileError,
    FileProblem,
    entries,
    problem_of,
    read_content,
)
from stacktui.certificates.trust import Stamp, TrustSource, source_error, stamp_of
from stacktui.errors import is_exhaustion

# The file names that OpenSSL reads in a folder: subject hash and number (X509_LOOKUP_hash_dir).
HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+\Z")
# Far more than all public roots, each under two hashes.
MAX_FILES = 10_000
# Files whose content is kept: more than a machine has stores.
_KEPT = 32


@dataclass(frozen=True, slots=True)
class Placed:
    """A certificate (DER) with its file and line."""

    der: bytes
    place: str


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file or a folder. Its DER values may be unreadable.

    `unreadable` has a line for each damaged entry, and for each file of a folder that OpenSSL
    would not read. `additions` are those that stacktui made. `repairable` says that a file's form
    is what is wrong with it (`file_repair`).
    """

    entries: tuple[Placed, ...] = ()
    unreadable: tuple[str, ...] = ()
    additions: tuple[bytes, ...] = ()
    repairable: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    stamp: object
    identity: object
    content: Content


_keeping = threading.Lock()
_known: dict[str, _Known] = {}


def identity_of(source: TrustSource) -> object:
    """Return a key that is equal for two sources if OpenSSL reads the same from them.

    Lists a folder's files without reading them. Raises TrustFileError.
    """
    if os.path.isdir(source.path):
        return _stamps(source)
    return _look_up(source, stamp_of(source)).identity


def content_of(source: TrustSource) -> Content:
    """Return the content of a file, or of a folder in OpenSSL's hashed form. Blocks on disk.

    Raises TrustFileError for a file that cannot be read, and for what OpenSSL would read for long;
    a file without certificates is no error.
    """
    stamp = _stamps(source) if os.path.isdir(source.path) else stamp_of(source)
    return _look_up(source, stamp).content


def _look_up(source: TrustSource, stamp: tuple[object, ...]) -> _Known:
    known = _known.get(source.path)
    if known is not None and known.stamp == stamp:
        return known
    known = _read_folder(source, stamp) if os.path.isdir(source.path) else _read_file(source, stamp)
    with _keeping:
        _known[source.path] = known
        while len(_known) > _KEPT:
            del _known[next(iter(_known))]
    return known


def _read_file(source: TrustSource, stamp: object) -> _Known:
    try:
        content = read_content(Path(source.path))
    except CertificateFileError as error:
        raise source_error(source, error.problem, error.detail) from None
    found, unreadable = _entries(source.path, content)
    repair = repair_of(content)
    if repair is not None and len(found) < sum(bool(each.der) for each in entries(repair.content)):
        unreadable = (f"{source.path}, {repair}", *unreadable)
    read = Content(found, unreadable, additions_in(content), repair is not None)
    return _Known(stamp, sha256(content).digest(), read)


def _read_folder(source: TrustSource, stamp: object) -> _Known:
    found: list[Placed] = []
    unreadable: list[str] = []
    for path, *_ in _stamps(source):
        try:
            content = read_content(Path(path))
        except CertificateFileError as error:
            unreadable.append(str(error))
            continue
        inside, damaged = _entries(path, content)
        if (not inside and not damaged) or problem_of(content) is FileProblem.DER:
            unreadable.append(f"{path} {WHAT[problem_of(content)]}")
        else:
            found += inside
            unreadable += damaged
    return _Known(stamp, stamp, Content(tuple(found), tuple(unreadable)))


def _entries(path: str, content: bytes) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
    found, unreadable = [], []
    for entry in entries(content):
        place = f"{path}, line {entry.line}"
        if entry.der:
            found.append(Placed(entry.der, place))
        else:
            unreadable.append(f"{place}: damaged, or cut off")
    return tuple(found), tuple(unreadable)


def _stamps(source: TrustSource) -> tuple[Stamp, ...]:
    """Return the stamps of the files that OpenSSL would read in a folder, for a cache key.

    Raises TrustFileError also for what OpenSSL would read for long, or for ever.
    """
    try:
        names = sorted(filter(HASHED.match, os.listdir(source.path)))
    except OSError as error:
        if is_exhaustion(error):
            raise
        detail = error.strerror or type(error).__name__
        raise source_error(source, FileProblem.UNREADABLE, detail) from None
    if len(names) > MAX_FILES:
        raise source_error(source, FileProblem.TOO_LARGE, f"over {MAX_FILES:,} files")
    stamps, size = [], 0
    for name in names:
        path = os.path.join(source.path, name)
        try:
            status = os.stat(path)
        except OSError:  # a link to nothing, which OpenSSL passes over
            stamps.append((path, 0, 0, -1))
            continue
        if not stat.S_ISREG(status.st_mode):
            raise source_error(source, FileProblem.UNREADABLE, f"{name} is not a regular file")
        size += status.st_size
        stamps.append((path, status.st_mtime_ns, status.st_ctime_ns, status.st_size))
    if size > MAX_SIZE:
        raise source_error(source, FileProblem.TOO_LARGE, f"over {MAX_SIZE:,} bytes")
    return tuple(stamps)
