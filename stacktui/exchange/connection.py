"""What an export is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from stacktui.environments.cloud import Cloud
from stacktui.environments.metadata import IdentityProvider
from stacktui.environments.model import CloudKey, Environment
from stacktui.environments.naming import region_of
from stacktui.identities.model import Identity


@dataclass(frozen=True, slots=True)
class Connection:
    """An environment, its cloud, and who signs in to it.

    `secret` is the secret itself (a client secret or a password), only where the user asked for it
    in the export; else a form writes the identity's reference, or a placeholder.
    """

    environment: Environment
    cloud: Cloud
    identity: Identity | None = None
    secret: str | None = field(default=None, repr=False)

    @property
    def region(self) -> str:
        """The stamp's region, which is its location too; empty where no name tells it."""
        return region_of(self.environment.arm)

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
    def ca(self) -> Path | None:
        """The file of the private root that ARM's certificate leads to, if there is one."""
        return self.environment.ca

    def __getitem__(self, key: CloudKey) -> str:
        return self.cloud[key]
