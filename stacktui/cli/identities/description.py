"""What the config says of identities: whom they are for, and where their secrets are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stacktui.certificates.levels import Level, level_of
from stacktui.check.settings import Settings
from stacktui.config.document import ConfigError, read_document
from stacktui.config.edit import users_of
from stacktui.identities.certificate_file import IdentityFile, read_files, references
from stacktui.identities.model import Identity
from stacktui.identities.origin import IdentityOrigin, origins
from stacktui.text.counts import time_span
from stacktui.text.times import utc_text

_SIGNS = {Level.PASS: "✓", Level.WARNING: "!"}


@dataclass(frozen=True, slots=True)
class DescribedIdentity:
    """One identity; `identity` is None where `error` says why it cannot be used.

    `environments` are those that name it, the active one first. `file` is the certificate that it
    signs in with, if it does; `origin` is where it came from.
    """

    name: str
    environments: tuple[str, ...] = ()
    in_use: bool = False
    identity: Identity | None = None
    error: ConfigError | None = None
    file: IdentityFile | None = None
    origin: IdentityOrigin | None = None

    def document(self) -> dict[str, Any]:
        known = self.identity
        return {
            "name": self.name,
            "kind": known.kind if known else None,
            "tenant": known.tenant if known else None,
            "principal": (known and known.principal) or None,
            "environments": list(self.environments),
            "in_use": self.in_use,
            "credential": str(known.credential) if known and known.credential else None,
            "certificate": _certificate(self.file) if self.file else None,
            "origin": _origin(self.origin) if self.origin else None,
            "error": str(self.error) if self.error else None,
        }

    @property
    def certificate_state(self) -> str:
        """What is to say of its certificate: `✓ 214 days left`, `✗ expired`; empty without one."""
        if self.file is None:
            return ""
        if self.file.problem:
            return f"✗ {self.file.word}"
        left = self.file.chain[0].time_left(self.file.read) if self.file.chain else None
        if left is None:
            return ""
        return f"{_SIGNS.get(level_of(left.days), '✗')} {time_span(left)} left"


def described(settings: Settings, names: Sequence[str]) -> Iterator[DescribedIdentity]:
    """Yield these identities of the config. Blocks on disk for the certificates of some."""
    document, active = read_document(settings.path), settings.default_name
    known = [settings.identities[name] for name in names if name in settings.identities]
    files = read_files(references(known), datetime.now(UTC))
    came_from = origins(settings.path, known)
    for name in names:
        users = sorted(users_of(document, name), key=lambda each: each != active)
        yield DescribedIdentity(
            name,
            tuple(users),
            active in users,
            settings.identities.get(name),
            settings.identity_errors.get(name),
            files.get(name),
            came_from.get(name),
        )


def _origin(found: IdentityOrigin) -> dict[str, Any]:
    return {
        "config": str(found.config),
        "line": found.line,
        "imported_from": found.imported_from or None,
    }


def _certificate(file: IdentityFile) -> dict[str, Any]:
    leaf = file.chain[0] if file.chain else None
    return {
        "path": str(file.path),
        "problem": file.problem or None,
        "not_after": utc_text(leaf.not_after) if leaf and leaf.not_after else None,
        "days_left": _days_left(file),
        "sha1": leaf.sha1 if leaf else None,
    }


def _days_left(file: IdentityFile) -> int | None:
    return file.chain[0].days_left(file.read) if file.chain else None
