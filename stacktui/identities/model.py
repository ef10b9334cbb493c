"""Identities, with references to their secrets; never the secrets themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from stacktui.text.sanitize import escape_control_chars


class IdentityKind(StrEnum):
    """The values of an identity's `kind`."""

    SERVICE_PRINCIPAL = "service-principal"
    USER = "user"
    DEVICE_CODE = "device-code"
    MANAGED_IDENTITY = "managed-identity"
    AZURE_CLI = "azure-cli"

    @property
    def words(self) -> str:
        """The kind as it is shown: `service principal`."""
        return "account of az" if self is self.AZURE_CLI else self.value.replace("-", " ")


# The public client of Azure CLI, known to Entra and to AD FS (PROTOCOL.md section 2).
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


@dataclass(frozen=True, slots=True)
class EnvSecret:
    """`{ env = "NAME" }`: the value of an environment variable."""

    name: str

    def __str__(self) -> str:
        return escape_control_chars(f"environment variable {self.name}")


@dataclass(frozen=True, slots=True)
class FileSecret:
    """`{ file = "path" }`: the content of a file, less one trailing line break."""

    path: Path

    def __str__(self) -> str:
        return escape_control_chars(f"file {self.path}")


@dataclass(frozen=True, slots=True)
class KeyringSecret:
    """`{ keyring = "service/user" }`: an entry of the system's keyring.

    `{ keyring = true }` is that of the service `stacktui` and of the identity's name.
    """

    service: str
    user: str

    def __str__(self) -> str:
        return escape_control_chars(f"keyring entry {self.service}/{self.user}")


@dataclass(frozen=True, slots=True)
class PromptSecret:
    """`{ prompt = true }`: what a person types in each run."""

    def __str__(self) -> str:
        return "a prompt"


NamedSecret = EnvSecret | FileSecret | KeyringSecret | PromptSecret


@dataclass(frozen=True, slots=True)
class TypedSecret:
    """A secret that a person has typed for this run, where `instead_of` gave none or a wrong one.

    It is in no config, and in no text.
    """

    value: str = field(repr=False)
    instead_of: NamedSecret

    def __str__(self) -> str:
        return f"what was typed in this run, in place of {self.instead_of}"


SecretRef = NamedSecret | TypedSecret


@dataclass(frozen=True, slots=True)
class CertificateRef:
    """`certificate = "path"`: a PEM or PFX file that holds a certificate and its private key.

    `password` is that of an encrypted file (`certificate_password`).
    """

    path: Path
    password: SecretRef | None = None

    def __str__(self) -> str:
        return escape_control_chars(f"certificate {self.path}")


@dataclass(frozen=True, slots=True)
class Identity:
    """One `[identities.NAME]` table; fields that the kind does not use are empty.

    A service principal has `client_id` and `credential`. A user has `username`, and the reference
    to the password as `credential`; a device code needs neither. Both sign in through the public
    client `client_id`. A managed identity has at most one of `client_id`, `object_id` and
    `resource_id`; without any, it is the machine's own. az knows its account. `tenant` is an id or
    a domain; AD FS, managed identities and az need none. `imported_from` says from what an import
    took it, which makes it no other identity.
    """

    name: str
    kind: IdentityKind
    client_id: str = ""
    credential: SecretRef | CertificateRef | None = None
    tenant: str | None = None
    username: str = ""
    object_id: str = ""
    resource_id: str = ""
    imported_from: str = field(default="", compare=False)

    @property
    def is_application(self) -> bool:
        """Whether `client_id` is its own, and not that of a client that a person signs in with."""
        return self.kind in (IdentityKind.SERVICE_PRINCIPAL, IdentityKind.MANAGED_IDENTITY)

    @property
    def principal(self) -> str:
        """Its account: a user name, an object id or a client id; empty if it is known only after
        signing in. A role is granted to an object id."""
        through_others = self.kind in (IdentityKind.USER, IdentityKind.DEVICE_CODE)
        return self.username if through_others else self.object_id or self.client_id

    @property
    def secret(self) -> SecretRef | None:
        """The reference to its secret, if it has one: the value of `secret_key`."""
        found = self.credential
        return found.password if isinstance(found, CertificateRef) else found

    @property
    def needs_person(self) -> bool:
        """Whether somebody must be there to sign in."""
        return self.kind is IdentityKind.DEVICE_CODE or isinstance(self.secret, PromptSecret)

    @property
    def configured(self) -> Identity:
        """The identity as the config has it, without what was typed."""
        typed = self.secret
        return self.with_secret(typed.instead_of) if isinstance(typed, TypedSecret) else self

    @property
    def secret_key(self) -> str:
        """The key of the config that refers to its secret."""
        if isinstance(self.credential, CertificateRef):
            return "certificate_password"
        return "password" if self.kind is IdentityKind.USER else "secret"

    @property
    def secret_name(self) -> str:
        """What its secret is, in words."""
        return self.secret_key.replace("_", " ")

    def with_secret(self, secret: SecretRef) -> Identity:
        """Return the identity with another reference in place of `secret`."""
        found = self.credential
        if isinstance(found, CertificateRef):
            return replace(self, credential=replace(found, password=secret))
        return replace(self, credential=secret)
