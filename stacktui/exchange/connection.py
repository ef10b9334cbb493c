"""What an export is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.environments.cloud import Cloud
from stacktui.environments.metadata import IdentityProvider
from stacktui.environments.model import CloudKey, Environment
from stacktui.environments.naming import domain_of, region_of
from stacktui.exchange.shells import Shell, Value, comment, own_line, plain, shell_of_this_machine
from stacktui.identities.model import (
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
    KeyringSecret,
    PromptSecret,
    SecretRef,
    TypedSecret,
)
from stacktui.transport.proxy import DIRECT, without_credentials

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts

# Holds a secret that a shell cannot read by itself: of a keyring, or typed.
_VARIABLE = "STACKTUI_SECRET"


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that a text is for: its shell, and what stacktui knows of it.

    `az` is None where none is installed. `has_own_roots` is true where stacktui trusts roots beside
    those of certifi, and `has_bundle` where the file that `certificates export` writes holds them.
    `config` is the config where that is not the usual one.
    """

    shell: Shell = field(default_factory=shell_of_this_machine)
    az: AzFacts | None = None
    has_own_roots: bool = False
    has_bundle: bool = False
    config: Path | None = None

    def own_command(self, command: str, *arguments: str) -> str:
        """Return a command of stacktui's with its config."""
        config = ("--config", str(self.config)) if self.config else ()
        return own_line(self.shell, command, (*arguments, *config))

    @property
    def export_command(self) -> str:
        """The command that writes one file of the roots of certifi and the user's."""
        return self.own_command("stacktui certificates export", "--yes")


@dataclass(frozen=True, slots=True)
class Connection:
    """An environment, its cloud, and who signs in to it.

    `secret` is the secret itself (a client secret or a password), only where the user asked for it
    in the export; else a form writes the identity's reference, or a placeholder. `api_version` is
    that of the environment's profile for `Microsoft.Resources`.
    """

    environment: Environment
    cloud: Cloud
    identity: Identity | None = None
    secret: str | None = field(default=None, repr=False)
    machine: Machine = field(default_factory=Machine)
    api_version: str = ""

    @property
    def domain(self) -> str:
        """The stamp's `<region>.<fqdn>`; empty where no name tells it."""
        return domain_of(urlsplit(self.environment.arm).hostname or "") or ""

    @property
    def region(self) -> str:
        """The stamp's region, which is its location too; empty where no name tells it."""
        return region_of(self.environment.arm)

    @property
    def built_in(self) -> str:
        """The name of the public cloud that az and Az PowerShell have; empty for a stamp."""
        return BUILT_IN_CLOUDS.get(urlsplit(self.environment.arm).hostname or "", "")

    @property
    def is_adfs(self) -> bool:
        return self.cloud.identity_provider is IdentityProvider.ADFS

    @property
    def tenant(self) -> str:
        """The tenant to sign in at: `adfs` for AD FS; empty where it is not known."""
        if self.is_adfs:
            return "adfs"
        return (self.identity and self.identity.tenant) or self.cloud.tenant

    @property
    def authority(self) -> str:
        """The login endpoint that the tenant follows, without a slash: for AD FS without `/adfs`,
        which is its tenant."""
        login = self[CloudKey.LOGIN_ENDPOINT].rstrip("/")
        head, _, last = login.rpartition("/")
        return head if self.is_adfs and last.lower() == "adfs" else login

    @property
    def proxy_variable(self) -> tuple[str, str] | None:
        """The variable by which other clients take the environment's `proxy`, or go without one."""
        proxy = self.environment.proxy
        if proxy and proxy != DIRECT:
            return "HTTPS_PROXY", without_credentials(proxy)
        if not proxy:
            return None
        urls = (self.environment.arm, self[CloudKey.LOGIN_ENDPOINT])
        hosts = (self.domain, *(urlsplit(each).hostname or "" for each in urls))
        return "NO_PROXY", ",".join(dict.fromkeys(filter(None, hosts)))

    @property
    def reference(self) -> EnvSecret | FileSecret | CertificateRef | None:
        """The identity's reference, with a variable for what no shell reads by itself."""
        found = self.identity.credential if self.identity else None
        return found if isinstance(found, CertificateRef) else self._readable(found)

    @property
    def secret_value(self) -> Value:
        """The secret where it was asked for, else its reference; empty where there is none."""
        found = self.reference
        if found is None or isinstance(found, CertificateRef):
            return ""
        return found if self.secret is None else self.secret

    @property
    def certificate(self) -> str:
        """The path of the identity's certificate and key, empty where it has none."""
        found = self.reference
        return str(found.path) if isinstance(found, CertificateRef) else ""

    @property
    def certificate_password(self) -> Value:
        """The reference to the password of that certificate's file; empty where it has none."""
        found = self.identity.secret if self.certificate and self.identity else None
        return self._readable(found) or ""

    def _readable(self, secret: SecretRef | None) -> EnvSecret | FileSecret | None:
        """Return the reference for a text that any shell reads; `heading` says how to set it."""
        named = secret.instead_of if isinstance(secret, TypedSecret) else secret
        return EnvSecret(_VARIABLE) if isinstance(named, KeyringSecret | PromptSecret) else named

    @property
    def kind(self) -> IdentityKind | None:
        return self.identity.kind if self.identity else None

    def heading(self, shell: Shell) -> str:
        """Return the comment that says what a text is of."""
        signed_in = "AD FS" if self.is_adfs else "Entra ID"
        what = f"{self.environment.arm}, {signed_in}, profile {self.environment.profile}"
        return comment(shell, f"{plain(self.environment.name)}: {what}{self._variable_note()}")

    def _variable_note(self) -> str:
        """Return the line about the variable that `_readable` makes of a reference, if it does."""
        secret = self.identity.secret if self.identity and self.secret is None else None
        named = secret.instead_of if isinstance(secret, TypedSecret) else secret
        match named:
            case KeyringSecret(service=service, user=user):
                read = f"python -m keyring get {plain(service)} {plain(user)}"
                return f"\nSet {_VARIABLE} before, to what this prints: {read}"
            case PromptSecret():
                return f"\nSet {_VARIABLE} before: it is in no file, but typed."
        return ""

    @property
    def ca(self) -> Path | None:
        """The file of the private root that ARM's certificate leads to, if there is one."""
        return self.environment.ca

    def __getitem__(self, key: CloudKey) -> str:
        return self.cloud[key]
