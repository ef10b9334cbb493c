"""The directory: tenant, application, user, managed identities, subscription.

All values are random at each start. A fault may change what the services know after the client
got its values, so that an error comes from a real comparison.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.oauth_errors import Reason

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

AZURE_CLI_CLIENT_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Public client that both identity providers know for user sign-in (PROTOCOL.md section 2)."""


class BuiltInRole(Enum):
    """Built-in roles of Azure RBAC: definition id, and whether they may write."""

    CONTRIBUTOR = ("b24988ac-6180-42a0-ab88-20f7382dd24c", True)
    READER = ("acdd72a7-3385-48ef-bd42-f606fba81ae7", False)

    @property
    def definition_id(self) -> str:
        return self.value[0]

    @property
    def writes(self) -> bool:
        return self.value[1]


class SubscriptionState(StrEnum):
    """`state` of a subscription, as ARM spells it."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Application:
    """A confidential client and its service principal."""

    client_id: str
    object_id: str
    secret: str
    certificate: Certificate | None
    secret_expired: bool = False
    role: BuiltInRole = BuiltInRole.CONTRIBUTOR


@dataclass(frozen=True, slots=True)
class User:
    """A user account; `name` is the user principal name."""

    name: str
    password: str
    object_id: str
    sign_in_error: Reason | None = None
    """Error of a sign-in with the right password."""
    role: BuiltInRole = BuiltInRole.CONTRIBUTOR


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """An identity for IMDS tokens; `resource_id` is None for the system-assigned one."""

    client_id: str
    object_id: str
    resource_id: str | None
    role: BuiltInRole = BuiltInRole.READER


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory tenant and the one subscription that belongs to it.

    `audience` is an opaque string that ARM and the token service compare byte for byte.
    """

    tenant: str
    domain: str
    audience: str
    application: Application
    user: User
    subscription: str
    managed_identities: tuple[ManagedIdentity, ...]
    subscription_state: SubscriptionState | None = SubscriptionState.ENABLED
    """None when the subscription does not exist."""

    def role_of(self, object_id: str) -> BuiltInRole | None:
        """Return the role of a principal on the subscription."""
        return self.roles().get(object_id)

    def roles(self) -> dict[str, BuiltInRole]:
        """Return the role of each principal on the subscription, by object id."""
        roles = {identity.object_id: identity.role for identity in self.managed_identities}
        roles[self.application.object_id] = self.application.role
        roles[self.user.object_id] = self.user.role
        return roles


def make_directory(idp: IdentityProvider, certificate: Certificate) -> Directory:
    """Make a directory with random values, its names as a stamp under this provider has them."""
    match idp:
        case IdentityProvider.AAD:
            domain = f"contoso{secrets.token_hex(2)}.onmicrosoft.com"
            audience = f"https://management.{domain}/{uuid4()}"
        case IdentityProvider.ADFS:
            domain = "azurestack.local"
            audience = f"https://management.adfs.azurestack.local/{uuid4()}"
    subscription = str(uuid4())
    return Directory(
        tenant=str(uuid4()),
        domain=domain,
        audience=audience,
        application=Application(str(uuid4()), str(uuid4()), make_secret(), certificate),
        user=User(f"operator@{domain}", make_secret(), str(uuid4())),
        subscription=subscription,
        managed_identities=(
            ManagedIdentity(str(uuid4()), str(uuid4()), None),
            ManagedIdentity(str(uuid4()), str(uuid4()), _identity_resource_id(subscription)),
        ),
    )


def make_secret() -> str:
    """Return a random secret without characters that shells or option parsers interpret."""
    return f"s{secrets.token_hex(20)}"


def _identity_resource_id(subscription: str) -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/rg-identity"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-ops"
    )
