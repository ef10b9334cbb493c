"""The record of a stamp from its first successful check: trust on first use.

It shows whether the metadata still sends the user's secret to the same host, and whether the same
root still signs for ARM. Light to import: every check reads it.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from stacktui.config.atomic import PATIENCE, exclusive, write_atomically
from stacktui.config.locations import stamps_file
from stacktui.environments.metadata import Metadata, provider_of
from stacktui.environments.model import CloudKey, Environment
from stacktui.environments.naming import suffixes
from stacktui.errors import FaultError, is_exhaustion
from stacktui.text.json_fields import mapping, number
from stacktui.text.sanitize import Redactor, escape_control_chars

VERSION = 1
# Enough for thousands of environments; a larger file is not ours.
MAX_SIZE = 4 * 1024 * 1024
_TEXTS = ("arm", "login_endpoint", "audience", "recorded", "top")
# The fields of the metadata that a record has in `more`.
_OTHERS = ("tenant", "graph", "portal", "gallery")
_SUFFIXES = (CloudKey.STORAGE_SUFFIX, CloudKey.KEYVAULT_SUFFIX)
_MORE = ("api_version", "identity_provider", "login_as_given", *_OTHERS, *_SUFFIXES)
# Whether both shapes of the metadata had answered: a check asks for one.
_SHAPES, BOTH = "shapes", "both"
_Rows = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class StampRecord:
    """A stamp as it was at `recorded`.

    `login_endpoint` and `audience` are as the metadata gives them. `path_end` is the certificate
    (DER) at the end of the path that ARM presented, the root or what leads to it; `root` is the one
    that verified it. Empty where none was seen; earlier versions recorded no root. `more` is the
    rest of the metadata by its fields, without what follows from the naming rule.
    """

    arm: str
    login_endpoint: str
    audience: str
    recorded: datetime
    path_end: bytes = field(default=b"", repr=False)
    root: bytes = field(default=b"", repr=False)
    more: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether it has what each of the two shapes of the metadata says."""
        return self.more.get(_SHAPES) == BOTH

    @property
    def metadata(self) -> Metadata:
        """The metadata as it was."""
        of_rule = dict(zip(_SUFFIXES, suffixes(urlsplit(self.arm).hostname or ""), strict=True))
        return Metadata(
            self.more.get("api_version", ""),
            self.login_endpoint,
            self.audience,
            provider_of(self.login_endpoint, declared=self.more.get("identity_provider", "")),
            **{name: self.more.get(name) for name in _OTHERS},
            **{name: self.more.get(name) or of_rule[name] for name in _SUFFIXES},
            login_as_given=self.more.get("login_as_given", ""),
            derived=frozenset(name for name in _SUFFIXES if name not in self.more),
            traits=frozenset(),
        )

    @property
    def signer(self) -> bytes:
        """The root, or where it is not known what was seen nearest to it; empty if nothing was."""
        return self.root or self.path_end


@dataclass(frozen=True, slots=True)
class Drift:
    """One value of the metadata that is not what was recorded; both are safe to show."""

    field: str
    recorded: str
    seen: str


@dataclass(frozen=True, slots=True)
class DriftFault:
    """The metadata would send a secret to another host than was recorded, so none is sent."""

    drifts: tuple[Drift, ...]
    recorded: datetime

    def __str__(self) -> str:
        return "; ".join(f"{each.field} is now {each.seen}" for each in self.drifts)


class DriftError(FaultError[DriftFault]):
    """Raised before a secret is sent elsewhere than before."""


@dataclass(frozen=True, slots=True)
class RecordFault:
    """The record cannot be read, so it is unknown where secrets went before, and none is sent."""

    path: Path
    detail: str

    def __str__(self) -> str:
        return escape_control_chars(f"{self.path} cannot be read: {self.detail}")


class RecordError(FaultError[RecordFault]):
    """What was recorded of a stamp cannot be read."""


def more_of(metadata: Metadata, *, both_shapes: bool = False) -> dict[str, str]:
    """Return what a record has of the metadata besides the login endpoint and the audience."""
    texts = {name: getattr(metadata, name) for name in _MORE if name not in metadata.derived}
    found = {name: str(text) for name, text in texts.items() if text}
    return found | ({_SHAPES: BOTH} if both_shapes else {})


def drifts(record: StampRecord, metadata: Metadata, redactor: Redactor) -> tuple[Drift, ...]:
    """Return how the metadata differs from the record, in the values that decide where secrets go.

    Login endpoints are compared as URLs, the audience byte for byte.
    """
    login, audience = metadata.login_endpoint, metadata.audience
    found = []
    if _place(record.login_endpoint) != _place(login):
        found.append(("login endpoint", record.login_endpoint, login))
    if record.audience != audience:
        found.append(("audience", record.audience, audience))
    return tuple(
        Drift(name, redactor.sanitize_untrusted(old), redactor.sanitize_untrusted(new))
        for name, old, new in found
    )


def require_recorded(record: StampRecord | None, metadata: Metadata, redactor: Redactor) -> None:
    """Raise DriftError where the metadata differs from the record, which may not get a secret."""
    if record is not None and (found := drifts(record, metadata, redactor)):
        raise DriftError(DriftFault(found, record.recorded))


def _place(url: str) -> object:
    """Return a URL in a normal form (RFC 3986 section 6.2), so that equivalent URLs are equal.

    Ignores the case of scheme and host, `:443`, a trailing slash, and the case of AD FS's path.
    """
    try:
        parts = urlsplit(url)
        port = 443 if parts.port is None else parts.port
    except ValueError:
        return url
    if not url.isascii() or not url.isprintable() or "@" in parts.netloc:
        return url
    path = parts.path.rstrip("/")
    path = path.lower() if path.lower() == "/adfs" else path
    return parts.scheme, parts.hostname, port, path, parts.query, parts.fragment


def is_recordable(record: StampRecord, redactor: Redactor) -> bool:
    """Return whether nothing of the record is redacted, as an echoed secret would be."""
    return all(
        redactor.sanitize_untrusted(text) == text
        for text in (record.login_endpoint, record.audience)
    )


def is_remembered() -> bool:
    """Return whether the file of records exists, in whatever state it is."""
    try:
        os.lstat(stamps_file())
    except OSError as error:
        # Nor does a file exist in what is no folder, or under a name that is too long.
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
    return True


def read_record(config: Path, environment: Environment) -> StampRecord | None:
    """Return the record of this environment of this config. Blocks on disk. Raises RecordError.

    None where there is none, or one of another ARM endpoint.
    """
    record = _record(_read().get(_key(config, environment.name)))
    return record if record is not None and record.arm == environment.arm else None


def read_records(config: Path, environments: Iterable[Environment]) -> dict[str, StampRecord]:
    """Return the records of these environments by name; none where the file cannot be read."""
    try:
        found = {each.name: read_record(config, each) for each in environments}
    except RecordError:
        return {}
    return {name: record for name, record in found.items() if record is not None}


def write_record(config: Path, environment: Environment, record: StampRecord | None) -> str:
    """Write a record, or remove it where `record` is None. Returns the error, if any, in one line.

    A file that cannot be read is not overwritten. Blocks on disk.
    """
    return _change(config, environment, lambda _: record, PATIENCE)


def record_first(
    config: Path, environment: Environment, record: StampRecord, patience: float
) -> str:
    """Record a stamp that had no record when the check began, at `record.recorded`.

    What was recorded or accepted meanwhile stays, but for what it does not have yet. Waits up
    to `patience` seconds for other processes that write. Returns why it is not recorded, if so.
    """
    began = record.recorded.replace(microsecond=0)

    def choose(known: StampRecord | None) -> StampRecord | None:
        if known is None or (known.arm != record.arm and known.recorded < began):
            return record
        return record if replace(known, root=known.root or record.root) == record else known

    return _change(config, environment, choose, patience)


def _change(
    config: Path,
    environment: Environment,
    choose: Callable[[StampRecord | None], StampRecord | None],
    patience: float,
) -> str:
    path, key = stamps_file(), _key(config, environment.name)
    try:
        with exclusive(path, patience):
            stamps = _read()
            known = _record(stamps.pop(key, None))
            chosen = choose(known)
            if chosen is not known:
                if chosen is not None:
                    stamps[key] = _row(chosen)
                document = {"version": VERSION, "stamps": stamps}
                write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())
    except RecordError as error:
        return str(error)
    except OSError as error:
        return escape_control_chars(
            f"{path} cannot be written ({error.strerror or type(error).__name__})"
        )
    return ""


def _key(config: Path, name: str) -> str:
    return json.dumps([os.path.realpath(config), name])


# The rows of the file as it was last read: a round of many checks parses it once.
_last: tuple[object, _Rows] | None = None


def _read() -> _Rows:
    """Return the rows by their keys; none where there is no file. Raises RecordError."""
    global _last
    if not is_remembered():
        return {}
    path = stamps_file()
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # opening a FIFO or a device could block
            raise RecordError(RecordFault(path, "it is no file"))
        if _last is not None and _last[0] == _version_of(path, status):
            return dict(_last[1])
        with open(path, "rb") as file:
            read = _version_of(path, os.fstat(file.fileno()))
            content = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        detail = f"it is a link to {os.path.realpath(path)}, which leads to no file"
        raise RecordError(RecordFault(path, detail)) from None
    except OSError as error:
        if is_exhaustion(error):
            raise
        detail = error.strerror or type(error).__name__
        raise RecordError(RecordFault(path, detail)) from None
    try:
        document = json.loads(content) if len(content) <= MAX_SIZE else None
    except (ValueError, RecursionError):
        document = None
    version, stamps = number(document, "version"), mapping(document).get("stamps")
    if version not in (None, VERSION):
        raise RecordError(RecordFault(path, f"it is of version {version:g}, not {VERSION}"))
    if version is None or not isinstance(stamps, dict) or not all(map(_record, stamps.values())):
        raise RecordError(RecordFault(path, "it is damaged"))
    _last = read, stamps
    return dict(stamps)


def _version_of(path: Path, status: os.stat_result) -> object:
    """Return what changes whenever the file does: it is replaced, never written in place."""
    return path, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _row(record: StampRecord) -> dict[str, str]:
    return {
        "arm": record.arm,
        "login_endpoint": record.login_endpoint,
        "audience": record.audience,
        "recorded": record.recorded.astimezone(UTC).isoformat(timespec="seconds"),
        "top": b64encode(record.path_end).decode("ascii"),
        **({"root": b64encode(record.root).decode("ascii")} if record.root else {}),
        **record.more,
    }


def _record(row: object) -> StampRecord | None:
    """Return a row as a value; None for one that we would not write."""
    if not isinstance(row, dict) or not all(isinstance(text, str) for text in row.values()):
        return None
    try:
        arm, login, audience, recorded, top = (row[name] for name in _TEXTS)
        when = datetime.fromisoformat(recorded)
        when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        path_end, root = (b64decode(each, validate=True) for each in (top, row.get("root", "")))
    except (KeyError, ValueError, OverflowError):  # OverflowError: no calendar has that day
        return None
    more = {name: row[name] for name in (*_MORE, _SHAPES) if name in row}
    return StampRecord(arm, login, audience, when, path_end, root, more)
