"""Roles at a scope: what they are called, who has them, granting and revoking them.

A scope is a path as in `role_paths` (PROTOCOL.md section 4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
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
    is_object_id,
    quoted,
    reach,
    scope_words,
)
from stacktui.resources.written import ChangeError, written

T = TypeVar("T")
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
    """`changed` is False for who had the role; `id` is empty where another assignment says so.

    After a lost connection ARM cannot tell: then it is the change of whoever asked for it.
    """

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


async def find_assignment(
    client: ArmClient, scope: str, role: RoleDefinition, principal: Principal
) -> str | None:
    """Return the id of the assignment of a role to a principal itself, at this very scope."""
    found = await collect(pages_of_principal(client, scope, principal.object_id))
    for each in found.rows:
        same = each.principal.casefold() == principal.object_id.casefold()
        if same and each.role == role.id and reach(each, scope) is Reach.DIRECT:
            return each.id
    if found.error:
        raise found.error
    return None


async def grant(
    client: ArmClient,
    scope: str,
    role: RoleDefinition,
    principal: Principal,
    *,
    longest: float = PRINCIPAL_TIMEOUT,
    failure: type[ChangeError] = ChangeError,
) -> Granted:
    """Give a principal a role at a scope; again is no change, whoever granted it before.

    Where ARM does not know the principal, asks again for `longest` seconds: it may be new, if it
    has an object id of a directory. Raises `failure` where nobody knows the end.
    """
    longest = longest if is_object_id(principal.object_id) else 0.0
    name = assignment_name(scope, role, principal)
    path = assignment_path(scope, name)
    version = await client.version_of(path)
    body = assignment_body(scope, role, principal, version)
    words = f"{role.name} on {scope_words(scope)}"

    async def put() -> Granted:
        waited = 0.0
        while True:
            try:
                response = await client.request(
                    "PUT", path, version, body, what=f"granting {words}"
                )
            except ArmError as error:
                if error.fault.code == "RoleAssignmentExists":
                    return Granted("", changed=False)
                if error.fault.code != "PrincipalNotFound" or waited + _PAUSE > longest:
                    raise
                waited += _PAUSE
                missing = f"{principal.object_id} is not known there yet"
                await client.wait(missing, error.fault.status, _PAUSE)
            else:
                changed = response.status == 201 or response.repeated
                return Granted(f"{scope}{ASSIGNMENTS}/{name}", changed)

    async def granted() -> Granted | None:
        found = await find_assignment(client, scope, role, principal)
        return None if found is None else Granted(found, changed=True)

    return await _ended(put, granted, words, failure)


async def has_assignment(client: ArmClient, scope: str, name: str) -> bool:
    """Return whether there is an assignment of this name at a scope."""
    try:
        await client.request("GET", assignment_path(scope, name), what=_assignment_words(name))
    except ArmError as error:
        if error.fault.code == "RoleAssignmentNotFound":
            return False
        raise
    return True


async def revoke(client: ArmClient, scope: str, name: str) -> bool:
    """Take an assignment back; return whether there was one, as far as ARM can tell (`Granted`).

    The path is made of the scope that the user means, as a stamp may list any path for an id.
    Raises ChangeError where nobody knows the end.
    """
    what = _assignment_words(name)

    async def delete() -> bool:
        try:
            response = await client.request("DELETE", assignment_path(scope, name), what=what)
        except ArmError as error:
            if error.fault.code == "RoleAssignmentNotFound":
                return False
            raise
        return response.status == 200 or response.repeated

    async def gone() -> bool | None:
        return None if await has_assignment(client, scope, name) else True

    return await _ended(delete, gone, what, ChangeError, ("is gone", "is still there"))


async def _ended(
    send: Callable[[], Awaitable[T]],
    find: Callable[[], Awaitable[T | None]],
    what: str,
    failure: type[ChangeError],
    done: tuple[str, str] = ("is there", "is not there"),
) -> T:
    """Return what `send` says of its end, which is looked for only where it says nothing."""
    said: tuple[T] | ArmError | None = None

    async def write() -> None:
        nonlocal said
        try:
            said = (await send(),)
        except ArmError as error:
            if error.fault.status and not error.refused:
                raise
            said = error

    async def read() -> tuple[T] | ArmError | None:
        if said is not None:
            return said
        found = await find()
        return None if found is None else (found,)

    result: tuple[T] | ArmError = await written(write, read, what, failure, done)
    if isinstance(result, ArmError):
        raise result
    return result[0]


def _assignment_words(name: str) -> str:
    return f"the role assignment {name}"


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
