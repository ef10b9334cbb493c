"""The directory: tenant, application, user, group, managed identities, subscriptions.

A fault may change what the services know after the client got its values, so that an error comes
from a real comparison.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from stacktui.stamp.oauth_errors import Reason

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

AZURE_CLI_CLIENT_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Public client that both identity providers know for user sign-in (PROTOCOL.md section 2)."""


class BuiltInRole(Enum):
    """Built-in roles of Azure RBAC: id, name, description, actions, and what they leave out."""

    OWNER = (
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Owner",
        "Lets you manage everything, including access to resources.",
        ("*",),
        (),
    )
    CONTRIBUTOR = (
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Lets you manage everything except access to resources.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    )
    READER = (
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "Lets you view everything, but not make any changes.",
        ("*/read",),
        (),
    )
    USER_ACCESS_ADMINISTRATOR = (
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
        (),
    )

    def __init__(
        self,
        definition_id: str,
        role_name: str,
        description: str,
        actions: tuple[str, ...],
        not_actions: tuple[str, ...],
    ) -> None:
        self.definition_id = definition_id
        self.role_name = role_name
        self.description = description
        self.actions = actions
        self.not_actions = not_actions


class SubscriptionState(StrEnum):
    """`state` of a subscription, as ARM spells it."""

    ENABLED = "Enabled"
    WARNED = "Warned"
    PAST_DUE = "PastDue"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription; `tenant` is the directory that it trusts."""

    id: str
    name: str
    tenant: str
    state: SubscriptionState


@dataclass(frozen=True, slots=True)
class Application:
    """A confidential client and its service principal."""

    client_id: str
    object_id: str
    secret: str
    certificate: Certificate | None
    secret_expired: bool = False
    role: BuiltInRole | None = BuiltInRole.OWNER
    """Role on each subscription; None for none."""


@dataclass(frozen=True, slots=True)
class User:
    """A user account; `name` is the user principal name."""

    name: str
    password: str
    object_id: str
    sign_in_error: Reason | None = None
    """Error of a sign-in with the right password."""
    role: BuiltInRole = BuiltInRole.OWNER


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group, and the object ids of its members."""

    object_id: str
    name: str
    members: frozenset[str]
    role: BuiltInRole = BuiltInRole.READER


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """An identity for IMDS tokens; `resource_id` is None for the system-assigned one."""

    client_id: str
    object_id: str
    resource_id: str | None
    role: BuiltInRole = BuiltInRole.READER


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory tenant and its subscriptions, the first of which clients are handed.

    `audience` is an opaque string that ARM and the token service compare byte for byte. Public
    Azure has `more_audiences`, and there alone the slash at their end may be missing. Those of
    `other_services` are in no metadata, and ARM refuses their tokens.
    """

    tenant: str
    domain: str
    audience: str
    application: Application
    user: User
    group: SecurityGroup
    subscription: str
    managed_identities: tuple[ManagedIdentity, ...]
    subscription_state: SubscriptionState | None = SubscriptionState.ENABLED
    """None when the subscription does not exist."""
    more_subscriptions: tuple[Subscription, ...] = ()
    more_audiences: tuple[str, ...] = ()
    other_services: tuple[str, ...] = ()

    @property
    def audiences(self) -> tuple[str, ...]:
        """Every audience that the directory knows, the metadata's first."""
        return (self.audience, *self.more_audiences)

    @property
    def known_audiences(self) -> tuple[str, ...]:
        """Every audience that the token service knows and ARM takes."""
        if not self.more_audiences:
            return (self.audience,)
        return (*self.audiences, *(audience.rstrip("/") for audience in self.audiences))

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """Return all subscriptions that exist."""
        if self.subscription_state is None:
            return self.more_subscriptions
        name, state = "Contoso Production", self.subscription_state
        return (
            Subscription(self.subscription, name, self.tenant, state),
            *self.more_subscriptions,
        )

    def principals(self) -> dict[str, tuple[str, BuiltInRole | None]]:
        """Return the type of each principal and its role on the subscriptions, by object id."""
        machines: dict[str, BuiltInRole | None] = {
            found.object_id: found.role for found in self.managed_identities
        }
        machines[self.application.object_id] = self.application.role
        found: dict[str, tuple[str, BuiltInRole | None]] = {
            object_id: ("ServicePrincipal", role) for object_id, role in machines.items()
        }
        found[self.user.object_id] = ("User", self.user.role)
        found[self.group.object_id] = ("Group", self.group.role)
        return found


def make_secret() -> str:
    """Return a random secret without characters that shells or option parsers interpret."""
    return f"s{secrets.token_hex(20)}"
