"""User-assigned managed identities, as resources (PROTOCOL.md section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacktui.resources.api_versions import listed_version
from stacktui.resources.client import ArmClient
from stacktui.resources.group_changes import our_command
from stacktui.resources.groups import MAX_ID
from stacktui.resources.listing import RowPages, stream_rows
from stacktui.resources.model import ArmError, ArmProblem
from stacktui.resources.providers import provider
from stacktui.resources.written import ChangeError

NAMESPACE = "Microsoft.ManagedIdentity"
_REGISTER = "providers register"
KIND = f"{NAMESPACE}/userAssignedIdentities"
NAME_RULE = "3 to 128 letters, digits, '-' and '_', the first a letter or a digit"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{2,127}")
# ARM's codes where a subscription has no such provider; of a stamp's, the body may be empty.
_NO_PROVIDER = frozenset({"InvalidResourceNamespace", ""})


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """A user-assigned identity: `id` is ARM's path; roles are granted to `principal_id`."""

    id: str
    name: str
    location: str
    client_id: str
    principal_id: str


class ManagedIdentityError(ChangeError):
    """A managed identity cannot be made or used as asked."""


def is_identity_name(text: str) -> bool:
    """Return whether Azure takes a text as the name of a user-assigned identity (NAME_RULE)."""
    return _NAME.fullmatch(text) is not None


async def identity_version(client: ArmClient, subscription: str) -> str:
    """Return the newest api-version of user-assigned identities that ARM lists for a subscription.

    Raises ManagedIdentityError where the provider is not there, or is not registered.
    """
    try:
        found, row = await provider(client, subscription, NAMESPACE)
    except ArmError as error:
        if error.fault.status != 404 or error.fault.code not in _NO_PROVIDER:
            raise
        raise _without_provider(f"this subscription has no resource provider {NAMESPACE}") from None
    version = listed_version(row, KIND)
    if version is None:
        raise _without_provider(f"the resource provider {NAMESPACE} lists no api-version of {KIND}")
    if not found.registered:
        raise ManagedIdentityError(
            f"the resource provider {NAMESPACE} is {found.state or 'of no state'} in subscription "
            f"{client.redactor.sanitize(subscription, 80)}",
            f"once it is Registered, run this again: {our_command(client, _REGISTER, NAMESPACE)}",
            unregistered=NAMESPACE,
        )
    return version


def _without_provider(why: str) -> ManagedIdentityError:
    return ManagedIdentityError(
        f"{why}, so no user-assigned identities",
        "a service principal works there: stacktui identities add NAME --kind service-principal "
        "client_id=ID secret=env:NAME, and its role: stacktui identities grant NAME --role Reader",
    )


def identity_pages(client: ArmClient, scope: str, version: str) -> RowPages[UserIdentity]:
    """Return the pages of the identities of a subscription or a resource group."""
    path = f"{scope}/providers/{KIND}"
    return stream_rows(client, path, read_identity, version=version, what="the managed identities")


def identity_path(group: str, name: str) -> str:
    """Return the path of an identity of a valid name in the group at a path."""
    return f"{group}/providers/{KIND}/{name}"


async def user_identity(client: ArmClient, path: str, version: str) -> UserIdentity | None:
    """Return the identity at a path in a group that is there; None where there is none.

    ArmError for one without ids: a token asked for without any would be the machine's own.
    """
    try:
        found = read_identity(client, await client.read(path, version, what=_what(path)))
    except ArmError as error:
        if error.fault.status != 404:
            raise
        return None
    if not (found.id and found.client_id and found.principal_id):
        raise client.error(ArmProblem.SHAPE, _what(path), 200, message="an identity without ids")
    return found


async def create_identity(client: ArmClient, path: str, version: str, location: str) -> None:
    """Make the identity at a path. One that is there keeps its ids, but loses its tags."""
    body = {"location": location}
    await client.request("PUT", path, version, body, what=f"creating {_what(path)}")


def _what(path: str) -> str:
    return f"the managed identity {path.rpartition('/')[2]}"


def read_identity(client: ArmClient, row: Mapping[str, Any]) -> UserIdentity:
    return UserIdentity(
        client.text(row, "id", limit=MAX_ID),
        client.text(row, "name"),
        client.text(row, "location"),
        client.text(row, "properties", "clientId"),
        client.text(row, "properties", "principalId"),
    )
