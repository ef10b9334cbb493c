"""What a stamp said and presented when it was first found well: trust on first use.

Two questions need it. Does the metadata still send the user's secret where it went before? And
does the same root still sign for ARM? Light to import: every check asks.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stacktui.config.atomic import exclusive, write_atomically
from stacktui.config.locations import stamps_file
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import Environment
from stacktui.transport.text import Cleaner, visible

VERSION = 1
# Thousands of environments; a larger file is none of ours.
MAX_SIZE = 4 * 1024 * 1024
_TEXTS = ("arm", "login_endpoint", "audience")


@dataclass(frozen=True, slots=True)
class StampRecord:
    """A stamp as it was at `recorded`.

    `login_endpoint` and `audience` are as the metadata gives them. `top` is the certificate (DER)
    that ARM presented last, the root or what leads to it; empty where none was seen.
    """

    arm: str
    login_endpoint: str
    audience: str
    recorded: datetime
    top: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Drift:
    """One value of the metadata that is not what was recorded; both are safe to show."""

    field: str
    recorded: str
    seen: str


@dataclass(frozen=True, slots=True)
class DriftFault:
    """The metadata would send a secret elsewhere than before: nothing is sent."""

    drifts: tuple[Drift, ...]
    recorded: datetime


class DriftError(Exception):
    """Raised before a secret is sent; carries the fault as data."""

    def __init__(self, fault: DriftFault) -> None:
        super().__init__("; ".join(f"{each.field} is now {each.seen}" for each in fault.drifts))
        self.fault = fault


def record_of(
    environment: Environment, metadata: Metadata, chain: tuple[bytes, ...], now: datetime
) -> StampRecord:
    """What is to be recorded of a stamp that presented `chain` (DER, leaf first)."""
    top = chain[-1] if chain else b""
    return StampRecord(environment.arm, metadata.login_endpoint, metadata.audience, now, top)


def drifts(record: StampRecord, metadata: Metadata, cleaner: Cleaner) -> tuple[Drift, ...]:
    """Where the metadata differs from what was recorded, in what says where secrets go."""
    pairs = (
        ("login endpoint", record.login_endpoint, metadata.login_endpoint),
        ("audience", record.audience, metadata.audience),
    )
    return tuple(
        Drift(name, cleaner.quote(old), cleaner.quote(new))
        for name, old, new in pairs
        if old != new
    )


def is_recordable(record: StampRecord, cleaner: Cleaner) -> bool:
    """Whether nothing in it must be hidden, as what a server echoes of a secret must."""
    return all(cleaner.quote(text) == text for text in (record.login_endpoint, record.audience))


def read_record(config: Path, environment: Environment) -> StampRecord | None:
    """What is recorded of this environment of this config. Never raises; blocks on disk.

    Nothing counts that was recorded of another ARM endpoint.
    """
    record = _record(_read().get(_key(config, environment.name)))
    return record if record is not None and record.arm == environment.arm else None


def write_record(config: Path, environment: Environment, record: StampRecord | None) -> str:
    """Record anew, or with None forget. Returns the trouble, if any, in one line."""
    path = stamps_file()
    try:
        with exclusive(path):
            # Only what is ours: of a file that nests deeply, not everything can be written back.
            stamps = {key: row for key, row in _read().items() if _record(row) is not None}
            key = _key(config, environment.name)
            stamps.pop(key, None)
            if record is not None:
                stamps[key] = _row(record)
            document = {"version": VERSION, "stamps": stamps}
            write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())
    except OSError as error:
        return visible(f"{path} cannot be written ({error.strerror or type(error).__name__})")
    return ""


def _key(config: Path, name: str) -> str:
    return json.dumps([os.path.abspath(config), name])


def _read() -> Mapping[str, Any]:
    """The rows by their keys; none of a file that is missing, damaged or of another version."""
    path = stamps_file()
    if not os.path.isfile(path):  # a FIFO or a device would block for ever
        return {}
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_SIZE + 1)
        document = json.loads(content) if len(content) <= MAX_SIZE else None
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return {}
    stamps = document.get("stamps")
    return stamps if isinstance(stamps, dict) else {}


def _row(record: StampRecord) -> dict[str, str]:
    return {
        "arm": record.arm,
        "login_endpoint": record.login_endpoint,
        "audience": record.audience,
        "recorded": record.recorded.astimezone(UTC).isoformat(timespec="seconds"),
        "top": b64encode(record.top).decode("ascii"),
    }


def _record(row: object) -> StampRecord | None:
    """A row as a value; None for one that is not as we write it."""
    if not isinstance(row, dict):
        return None
    texts = [row.get(name) for name in (*_TEXTS, "recorded", "top")]
    if not all(isinstance(text, str) for text in texts):
        return None
    arm, login, audience, recorded, top = (str(text) for text in texts)
    try:
        when = datetime.fromisoformat(recorded)
        der = b64decode(top, validate=True)
    except ValueError:
        return None
    return StampRecord(arm, login, audience, when if when.tzinfo else when.replace(tzinfo=UTC), der)
