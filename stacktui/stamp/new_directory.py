"""A new directory. All values are random at each start."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from uuid import uuid4

from stacktui.stamp.cloud import Cloud
from stacktui.stamp.directory import (
    Application,
    BuiltInRole,
    Directory,
    ManagedIdentity,
    SecurityGroup,
    Subscription,
    SubscriptionState,
    User,
    make_secret,
)
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.options import OTHER_TENANT, StampOptions

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

PUBLIC_AUDIENCES = ("https://management.core.windows.net/", "https://management.azure.com/")
"""Of public Azure: the metadata's, and that of IMDS (PROTOCOL.md section 4)."""

MICROSOFT_GRAPH = "https://graph.microsoft.com/"
PORTAL_API = "74658136-14ec-4630-ad9b-26e160ff0fc6"
"""What az asks tokens for to read a directory, and to consent in it."""


def make_directory(options: StampOptions, certificate: Certificate) -> Directory:
    """Make a directory with random values, its names as a stamp under this provider has them."""
    public = options.cloud is Cloud.PUBLIC
    match options.idp:
        case IdentityProvider.AAD:
            domain = f"contoso{secrets.token_hex(2)}.onmicrosoft.com"
            audience = f"https://management.{domain}/{uuid4()}"
        case IdentityProvider.ADFS:
            domain = "azurestack.local"
            audience = f"https://management.adfs.azurestack.local/{uuid4()}"
    subscription, tenant, user = str(uuid4()), str(uuid4()), str(uuid4())
    role = None if options.role is None else BuiltInRole[_enum_name(options.role)]
    return Directory(
        tenant=tenant,
        domain=domain,
        audience=PUBLIC_AUDIENCES[0] if public else audience,
        more_audiences=PUBLIC_AUDIENCES[1:] if public else (),
        other_services=(MICROSOFT_GRAPH, PORTAL_API) if public else (),
        application=Application(str(uuid4()), str(uuid4()), make_secret(), certificate, role=role),
        user=User(f"operator@{domain}", make_secret(), user),
        group=SecurityGroup(str(uuid4()), "Stamp Readers", frozenset({user})),
        subscription=subscription,
        more_subscriptions=tuple(
            _subscription(kind, tenant, number)
            for number, kind in enumerate(options.more_subscriptions, 2)
        ),
        managed_identities=(
            ManagedIdentity(str(uuid4()), str(uuid4()), None),
            ManagedIdentity(str(uuid4()), str(uuid4()), identity_resource_id(subscription)),
        ),
    )


def _subscription(kind: str, tenant: str, number: int) -> Subscription:
    """Return a further subscription of a kind of `MORE_SUBSCRIPTIONS`."""
    foreign = kind == OTHER_TENANT
    state = SubscriptionState.ENABLED
    if not foreign:
        state = SubscriptionState[_enum_name(kind)]
    name = f"Fabrikam Guest {number}" if foreign else f"Contoso Project {number}"
    return Subscription(str(uuid4()), name, str(uuid4()) if foreign else tenant, state)


def identity_resource_id(subscription: str) -> str:
    """Return the id of the user-assigned identity that the stamp's VM has."""
    return (
        f"/subscriptions/{subscription}/resourceGroups/rg-identity"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-ops"
    )


def _enum_name(option: str) -> str:
    return option.upper().replace("-", "_")
