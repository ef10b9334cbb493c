"""Roles at a scope of ARM, which is a subscription, a resource group or a resource (PROTOCOL.md
section 4): what they are called, who has them, granting and revoking.

A scope is ARM's path of it, as ARM lists it: unquoted, without a slash at its end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from stacktui.resources.client import ArmClient
from stacktui.resources.group_details import permission_pages
from stacktui.resources.groups import MAX_ID
from stacktui.resources.listing import RowPages, Rows, collect, stream_rows
from stacktui.resources.model import (
    ArmError,
    Permission,
    Principal,
    RoleAssignment,
    RoleDefinition,
)

_AUTHORIZATION = "/providers/Microsoft.Authorization"
_ASSIGNMENTS = f"{_AUTHORIZATION}/roleAssignments"
_ASSIGNMENT_ID = re.compile(
    rf"(?P<scope>/.*|){re.escape(_ASSIGNMENTS)}/(?P<name>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}"
    r"-[0-9a-f]{12})",
    re.IGNORECASE,
)
# The year of the api-versions that know `principalType`; stamps have none of them.
_PRINCIPAL_TYPE_SINCE = "2018"
# Seconds: for so long ARM may not know a principal that was just made, and between two tries.
PRINCIPAL_TIMEOUT, _PAUSE = 120.0, 10.0


class Reach(StrEnum):
    """Where an assignment is, as seen from a scope; it counts there unless it is BELOW."""

    DIRECT = "direct"
    INHERITED = "inherited"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Access:
    """What the holder of a token may do at a scope, and by which roles there, above and below.

    The error of a list that was refused is in its place: ARM lists the permissions to everybody.
    """

    permissions: Rows[Permission]
    definitions: Rows[RoleDefinition]
    assignments: Rows[RoleAssignment]


@dataclass(frozen=True, slots=True)
class Granted:
    """`changed` is False for who had the role; `id` is empty where another assignment says so."""

    id: str
    changed: bool


async def access(client: ArmClient, scope: str, object_id: str) -> Access:
    """Return what the token's holder, a principal of this id, has at a scope, its groups' too.

    Without an id, which a token need not name, there are no assignments.
    """
    permissions, definitions, assignments = await asyncio.gather(
        collect(permission_pages(client, quoted(scope))),
        collect(definition_pages(client, scope)),
        collect(assignment_pages(client, scope, f"assignedTo({_literal(object_id)})")),
    )
    return Access(permissions, definitions, assignments if object_id else Rows())


def definition_pages(client: ArmClient, scope: str) -> RowPages[RoleDefinition]:
    """Return the pages of the roles that can be granted at a scope."""
    path = f"{quoted(scope)}{_AUTHORIZATION}/roleDefinitions"
    return stream_rows(client, path, _read_definition, what="the roles")


def find_role(roles: Iterable[RoleDefinition], wanted: str) -> RoleDefinition | None:
    """Return the role of a name, an id or a path that ends in the id; case does not matter."""
    text = wanted.casefold()
    last = text.rpartition("/")[2]
    return next((each for each in roles if text == each.name.casefold() or last == each.id), None)


def assignment_pages(
    client: ArmClient, scope: str, filter_: str = "atScope()"
) -> RowPages[RoleAssignment]:
    """Return the pages of the assignments at a scope and above it, or those that a filter wants."""
    path = f"{quoted(scope)}{_ASSIGNMENTS}?$filter={quote(filter_, '')}"
    return stream_rows(client, path, _read_assignment, what="the role assignments")


def pages_of_principal(client: ArmClient, scope: str, object_id: str) -> RowPages[RoleAssignment]:
    """Return the pages of what a principal itself has at a scope, above it and below it."""
    return assignment_pages(client, scope, f"principalId eq {_literal(object_id)}")


def parse_assignment_id(path: str) -> tuple[str, str] | None:
    """Return scope and name (a GUID) of an assignment's path; None for another text."""
    found = _ASSIGNMENT_ID.fullmatch(path)
    return (found["scope"], found["name"]) if found else None


def reach(assignment: RoleAssignment, scope: str) -> Reach:
    """Return where an assignment is, as seen from a scope."""
    there, here = (f"{each.rstrip('/')}/".casefold() for each in (assignment.scope, scope))
    if there == here:
        return Reach.DIRECT
    return Reach.INHERITED if here.startswith(there) else Reach.BELOW


def scope_words(scope: str) -> str:
    """Return a scope in words: `resource group DevTest`."""
    parts = scope.strip("/").split("/")
    match [part.lower() for part in parts]:
        case ["subscriptions", _]:
            return f"subscription {parts[1]}"
        case ["subscriptions", _, "resourcegroups", _]:
            return f"resource group {parts[3]}"
        case ["subscriptions", _, "resourcegroups", _, "providers", _, *_, _, _]:
            return f"{parts[-2]} {parts[-1]} in resource group {parts[3]}"
        case _:
            return scope or "/"


def quoted(scope: str) -> str:
    """Return a scope as it is sent: no character of it begins a query."""
    return quote(scope, "/()", errors="replace")


def assignment_name(scope: str, role: RoleDefinition, principal: Principal) -> str:
    """Return the GUID that an assignment gets, the same for the same role of the same principal."""
    words = (scope, role.id, principal.object_id)
    return str(uuid5(NAMESPACE_URL, "|".join(words).lower()))


def assignment_path(scope: str, name: str) -> str:
    """Return the path of an assignment, as it is sent."""
    return f"{quoted(scope)}{_ASSIGNMENTS}/{quote(name, '')}"


async def grant(
    client: ArmClient,
    scope: str,
    role: RoleDefinition,
    principal: Principal,
    *,
    longest: float = PRINCIPAL_TIMEOUT,
) -> Granted:
    """Give a principal a role at a scope; again is no change, whoever granted it before.

    Where ARM does not know the principal, asks again for `longest` seconds: it may be new.
    """
    name = assignment_name(scope, role, principal)
    path = assignment_path(scope, name)
    version = await client.version_of(path)
    # A role is defined once for a subscription, whatever in it is the scope.
    below = scope.split("/", 3)[:3] if scope.lower().startswith("/subscriptions/") else []
    properties = {
        "roleDefinitionId": f"{'/'.join(below)}{_AUTHORIZATION}/roleDefinitions/{role.id}",
        "principalId": principal.object_id,
    }
    if principal.is_application and version >= _PRINCIPAL_TYPE_SINCE:
        properties["principalType"] = "ServicePrincipal"
    what, waited = f"granting {role.name} on {scope_words(scope)}", 0.0
    while True:
        try:
            body = {"properties": properties}
            response = await client.request("PUT", path, version, body, what=what)
        except ArmError as error:
            if error.fault.code == "RoleAssignmentExists":
                return Granted("", changed=False)
            if error.fault.code != "PrincipalNotFound" or waited + _PAUSE > longest:
                raise
            waited += _PAUSE
            missing = f"{principal.object_id} is not known there yet"
            await client.wait(missing, error.fault.status, _PAUSE)
        else:
            return Granted(f"{scope}{_ASSIGNMENTS}/{name}", changed=response.status == 201)


async def revoke(client: ArmClient, scope: str, name: str) -> bool:
    """Take an assignment back; return whether there was one.

    The path is made of the scope that the user means, as a stamp may list any path for an id.
    """
    what = f"the role assignment {name}"
    try:
        response = await client.request("DELETE", assignment_path(scope, name), what=what)
    except ArmError as error:
        if error.fault.code == "RoleAssignmentNotFound":
            return False
        raise
    return response.status == 200


def _literal(text: str) -> str:
    """Return a text as a string of a `$filter` (OData 4, section 5.1.1.6.1)."""
    return "'{}'".format(text.replace("'", "''"))


def _read_definition(client: ArmClient, row: Mapping[str, Any]) -> RoleDefinition:
    id_ = client.text(row, "id", limit=MAX_ID).rpartition("/")[2].lower()
    return RoleDefinition(id_, client.text(row, "properties", "roleName"))


def _read_assignment(client: ArmClient, row: Mapping[str, Any]) -> RoleAssignment:
    return RoleAssignment(
        client.text(row, "id", limit=MAX_ID),
        client.text(row, "properties", "scope", limit=MAX_ID).rstrip("/"),
        client.text(row, "properties", "roleDefinitionId", limit=MAX_ID).rpartition("/")[2].lower(),
        client.text(row, "properties", "principalId"),
        client.text(row, "properties", "principalType"),
    )
