"""Roles at a scope: what they are called, who has them, granting and revoking them.

A scope is a path as in `role_paths` (PROTOCOL.md section 4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

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
from stacktui.resources.role_paths import (
    ASSIGNMENTS,
    AUTHORIZATION,
    Reach,
    assignment_body,
    assignment_name,
    assignment_path,
    quoted,
    reach,
    scope_words,
)

# Seconds: for so long ARM may not know a principal that was just made, and between two tries.
PRINCIPAL_TIMEOUT, _PAUSE = 120.0, 10.0


@dataclass(frozen=True, slots=True)
class Access:
    """What the holder of a token may do at a scope, and by which roles there, above and below.

    The error of a list that was refused is in its place: ARM lists the permissions to everybody.
    `object_id` is the holder's, empty where the token does not name it.
    """

    scope: str
    object_id: str
    permissions: Rows[Permission]
    definitions: Rows[RoleDefinition]
    assignments: Rows[RoleAssignment]

    def words(self, assignment: RoleAssignment) -> str:
        """Return an assignment in words: `Reader on resource group DevTest · direct`."""
        reached, group = reach(assignment, self.scope), self.group_of(assignment)
        by_group = f"by group {group}" if group else ""
        direct = "" if by_group and reached is Reach.DIRECT else reached
        on = f"{self.role_name(assignment)} on {scope_words(assignment.scope)}"
        return " · ".join(filter(None, (on, direct, by_group)))

    def role_name(self, assignment: RoleAssignment) -> str:
        """Return the name of the role, else its id."""
        names = {role.id: role.name for role in self.definitions.rows}
        return names.get(assignment.role) or assignment.role

    def group_of(self, assignment: RoleAssignment) -> str:
        """Return the group by which the holder has a role; empty where it is their own."""
        own = assignment.principal.casefold() == self.object_id.casefold()
        return "" if own else assignment.principal


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
    mine = assignments if object_id else Rows()
    return Access(scope, object_id, permissions, definitions, mine)


def definition_pages(client: ArmClient, scope: str) -> RowPages[RoleDefinition]:
    """Return the pages of the roles that can be granted at a scope."""
    path = f"{quoted(scope)}{AUTHORIZATION}/roleDefinitions"
    return stream_rows(client, path, _read_definition, what="the roles")


def find_role(roles: Iterable[RoleDefinition], wanted: str) -> RoleDefinition | None:
    """Return the role of a name, an id or a path that ends in the id; case does not matter."""
    text = wanted.casefold()
    if not (id_ := text.rpartition("/")[2]):
        return None
    return next((each for each in roles if text == each.name.casefold() or id_ == each.id), None)


def assignment_pages(
    client: ArmClient, scope: str, filter_: str = "atScope()"
) -> RowPages[RoleAssignment]:
    """Return the pages of the assignments at a scope and above it, or those that a filter wants."""
    path = f"{quoted(scope)}{ASSIGNMENTS}?$filter={quote(filter_, '')}"
    return stream_rows(client, path, _read_assignment, what="the role assignments")


def pages_of_principal(client: ArmClient, scope: str, object_id: str) -> RowPages[RoleAssignment]:
    """Return the pages of what a principal itself has at a scope, above it and below it."""
    return assignment_pages(client, scope, f"principalId eq {_literal(object_id)}")


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
    body = assignment_body(scope, role, principal, version)
    what, waited = f"granting {role.name} on {scope_words(scope)}", 0.0
    while True:
        try:
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
            return Granted(f"{scope}{ASSIGNMENTS}/{name}", changed=response.status == 201)


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
