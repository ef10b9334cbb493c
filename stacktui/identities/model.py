"""Who signs in: identities and references to their secrets. No secret is ever held here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stacktui.transport.text import visible


class IdentityKind(StrEnum):
    """The values of an identity's `kind`."""

    SERVICE_PRINCIPAL = "service-principal"


@dataclass(frozen=True, slots=True)
class EnvSecret:
    """`{ env = "NAME" }`: the value of an environment variable."""

    name: str

    def __str__(self) -> str:
        return visible(f"environment variable {self.name}")


@dataclass(frozen=True, slots=True)
class FileSecret:
    """`{ file = "path" }`: the content of a file, less one trailing line break."""

    path: Path

    def __str__(self) -> str:
        return visible(f"file {self.path}")


SecretRef = EnvSecret | FileSecret


@dataclass(frozen=True, slots=True)
class CertificateRef:
    """`certificate = "path"`: a PEM file that holds a certificate and its private key."""

    path: Path

    def __str__(self) -> str:
        return visible(f"certificate {self.path}")


@dataclass(frozen=True, slots=True)
class Identity:
    """One `[identities.NAME]` table. `tenant` is an id or a domain; AD FS ignores it."""

    name: str
    kind: IdentityKind
    client_id: str
    credential: SecretRef | CertificateRef
    tenant: str | None = None
