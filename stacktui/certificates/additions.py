"""The log of what stacktui added to bundles that are not its own.

An upgrade of certifi replaces its bundle, and what was added is lost without notice. A check finds
that with this log. Light to import: every check asks for what was lost.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from stacktui.certificates.bundle import MAX_COMMENT, plain
from stacktui.certificates.files import CertificateFileError, FileProblem, entries, read_content
from stacktui.config.atomic import exclusive, write_atomically
from stacktui.config.locations import additions_file
from stacktui.text.json_fields import mapping, number, text
from stacktui.text.sanitize import escape_control_chars

VERSION = 1
# Enough for thousands of additions; a larger file is not ours.
MAX_SIZE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Addition:
    """A root (DER) that was added to the bundle at `path`; `sha256` in lower case, no colons."""

    path: Path
    sha256: str
    subject: str
    der: bytes


@dataclass(frozen=True, slots=True)
class LostAddition:
    """An addition that is no longer in the bundle at `path`; `gone` when the file is not there.

    `sha256` in lower case, no colons: `stacktui certificates trust` takes it to add it again.
    """

    path: Path
    sha256: str
    subject: str
    gone: bool


@dataclass(frozen=True, slots=True)
class AdditionsLog:
    """The logged additions. `trouble` says in one line why the log may be incomplete."""

    additions: tuple[Addition, ...]
    trouble: str = ""


def read_additions() -> AdditionsLog:
    """Return the logged additions. Never raises; one `stat` if nothing was ever added."""
    rows, trouble = _read()
    found = tuple(each for each in map(_addition, rows) if each is not None)
    if not trouble and len(found) < len(rows):
        trouble = f"{additions_file()}: {len(rows) - len(found)} entries cannot be read"
    return AdditionsLog(found, escape_control_chars(trouble))


def lost_additions() -> tuple[LostAddition, ...]:
    """Return the additions that are no longer in their bundles. Never raises; blocks on disk.

    Skips bundles that cannot be read.
    """
    lost = []
    held: dict[Path, Collection[str] | None] = {}
    for each in read_additions().additions:
        try:
            if each.path not in held:
                held[each.path] = _fingerprints(each.path)
        except CertificateFileError:
            continue
        there = held[each.path]
        if there is None or each.sha256 not in there:
            lost.append(LostAddition(each.path, each.sha256, each.subject, gone=there is None))
    return tuple(lost)


def remember(path: Path, ders: Sequence[bytes]) -> str:
    """Log that these certificates were added to the bundle at `path`.

    Existing entries stay as they are. Returns the trouble, if any, in one line, and does not raise:
    an addition works without its entry.
    """
    from stacktui.certificates.chain import describe

    path = Path(os.path.abspath(path))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    new = [
        {
            "path": str(path),
            "sha256": sha256(der).hexdigest(),
            "subject": describe(der).subject,
            "pem": ssl.DER_cert_to_PEM_cert(der),
            "added": now,
        }
        for der in ders
    ]

    def merged(rows: list[Any]) -> list[Any]:
        known = {each.sha256 for each in map(_addition, rows) if each and _same(each.path, path)}
        return rows + [each for each in new if each["sha256"] not in known]

    return _change(merged, "an upgrade that loses the addition will go unnoticed")


def forget(path: Path, fingerprints: Collection[str]) -> str:
    """Forget the additions of these SHA-256 fingerprints to the bundle at `path`.

    Returns the trouble, if any, in one line.
    """
    unwanted = {plain(each) for each in fingerprints}

    def rest(rows: list[Any]) -> list[Any]:
        return [row for row in rows if not _matches(_addition(row), path, unwanted)]

    return _change(rest, "the next check will call it lost")


A = TypeVar("A", Addition, LostAddition)


def remembered_of(path: Path, additions: Sequence[A]) -> tuple[A, ...]:
    """Return the additions to the bundle at `path`, also by another path to the same file."""
    return tuple(each for each in additions if _same(each.path, path))


def _matches(addition: Addition | None, path: Path, fingerprints: Collection[str]) -> bool:
    return addition is not None and addition.sha256 in fingerprints and _same(addition.path, path)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _fingerprints(path: Path) -> Collection[str] | None:
    """Return the fingerprints in a bundle, None if there is no file."""
    try:
        content = read_content(path)
    except CertificateFileError as error:
        if error.problem is FileProblem.MISSING:
            return None
        raise
    return {sha256(each.der).hexdigest() for each in entries(content)}


def _read() -> tuple[list[Any], str]:
    """Return the entries as they are in the file, and why there may be more."""
    path = additions_file()
    damaged = f"{path} is damaged, so what was added to other bundles is not known; move it away"
    try:
        document = json.loads(read_content(path, MAX_SIZE))
    except CertificateFileError as error:
        missing = error.problem is FileProblem.MISSING
        return [], "" if missing else f"{path}: {error.detail or error.problem}"
    except (ValueError, RecursionError):
        return [], damaged
    if not isinstance(rows := mapping(document).get("additions"), list):
        return [], damaged
    if number(document, "version") != VERSION:
        return [], f"{path} is of another version of stacktui; it is left as it is"
    return rows, ""


def _addition(row: Any) -> Addition | None:
    """Return an entry of the file as a value, None if we would not write it."""
    path, fingerprint = text(row, "path"), text(row, "sha256")
    subject = mapping(row).get("subject")
    try:
        found = [each.der for each in entries(text(row, "pem").encode("ascii")) if each.der]
        os.fsencode(path)  # lone surrogates name no file
    except UnicodeEncodeError:
        return None
    if len(found) != 1 or sha256(found[0]).hexdigest() != fingerprint:
        return None
    if "\0" in path or not os.path.isabs(path) or not isinstance(subject, str):
        return None
    return Addition(Path(path), fingerprint, escape_control_chars(subject[:MAX_COMMENT]), found[0])


def _change(change: Callable[[list[Any]], list[Any]], else_: str) -> str:
    """Change the file. Return the trouble, if any; `else_` is the consequence of a failed write."""
    path = additions_file()
    try:
        with exclusive(path):
            rows, trouble = _read()
            if trouble:
                # A damaged file may be worth repairing, so do not overwrite it.
                return trouble
            changed = change(rows)
            if changed != rows:
                document = {"version": VERSION, "additions": changed}
                write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return escape_control_chars(f"{path} cannot be written ({reason}), so {else_}")
    return ""
