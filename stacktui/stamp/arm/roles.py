"""Role definitions, role assignments and permissions, at any scope of a subscription."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.lists import clauses, values
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager
from stacktui.stamp.arm.stores.groups import as_object
from stacktui.stamp.arm.stores.roles import Assignment, within
from stacktui.stamp.directory import BuiltInRole
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Response, json_response

PRINCIPAL_TYPE_SINCE = "2018"
"""Year of the api-versions that know `principalType`."""


def list_definitions(arm: ResourceManager, asked: ArmRequest) -> Response:
    wanted = clauses(asked.request, "rolename", "type", "atscopeandbelow")
    name, kind = wanted.get("rolename"), wanted.get("type", "BuiltInRole")
    return values(
        [
            _definition(asked, role)
            for role in BuiltInRole
            if name in (None, role.role_name) and kind.lower() == "builtinrole"
        ]
    )


def get_definition(arm: ResourceManager, asked: ArmRequest) -> Response:
    return json_response(200, _definition(asked, _role(asked.parts["name"])))


def list_assignments(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the assignments at the scope, above it and below it.

    `atScope()` leaves those below out; `principalId eq` selects one principal, and `assignedTo()`
    takes its groups in.
    """
    asked.require_scope()
    wanted = clauses(asked.request, "atscope", "principalid", "assignedto")
    principals = None
    if "principalid" in wanted:
        principals = frozenset({wanted["principalid"].lower()})
    if "assignedto" in wanted:
        principals = arm.assignments.principals(wanted["assignedto"].lower())
    return values(
        [
            _assignment(arm, asked, found)
            for found in arm.assignments.all()
            if principals is None or found.principal.lower() in principals
            if found.covers(asked.scope)
            or ("atscope" not in wanted and within(found.scope, asked.scope))
        ]
    )


def get_assignment(arm: ResourceManager, asked: ArmRequest) -> Response:
    found = arm.assignments.get(asked.parts["name"], asked.scope)
    if found is None:
        raise CloudError(Code.ASSIGNMENT_NOT_FOUND, name=asked.parts["name"])
    return json_response(200, _assignment(arm, asked, found))


def put_assignment(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Make an assignment; the same one again is 200, the same under another guid 409."""
    wanted = _wanted(arm, asked)
    known = arm.assignments.named(wanted.name)
    same = arm.assignments.same(wanted)
    if known is not None and known is not same:
        raise CloudError(Code.ASSIGNMENT_UPDATE)
    if same is not None and same is not known:
        raise CloudError(Code.ASSIGNMENT_EXISTS)
    if known is None:
        arm.assignments.add(wanted)
    return json_response(200 if known else 201, _assignment(arm, asked, known or wanted))


def delete_assignment(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return 200 with the assignment that was, or 204 where there is none."""
    found = arm.assignments.get(asked.parts["name"], asked.scope)
    if found is None:
        return Response(204)
    arm.assignments.remove(found)
    return json_response(200, _assignment(arm, asked, found))


def permissions(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return what the caller may do at the scope, without a right of its own to ask that."""
    roles = {
        found.role
        for found in arm.assignments.of(asked.caller.object_id)
        if found.covers(asked.scope)
    }
    return values(
        [
            {
                "actions": list(role.actions),
                "notActions": [*role.not_actions, *sorted(arm.denied_actions)],
            }
            for role in BuiltInRole
            if role in roles
        ]
    )


def _wanted(arm: ResourceManager, asked: ArmRequest) -> Assignment:
    """Return the assignment that a PUT asks for; CloudError for a bad name or body."""
    name = asked.parts["name"]
    try:
        UUID(name)
    except ValueError:
        raise CloudError(Code.ASSIGNMENT_ID, name=name) from None
    asked.require_scope()
    properties = as_object(as_object(asked.body()).get("properties"))
    definition, principal = properties.get("roleDefinitionId"), properties.get("principalId")
    if not isinstance(definition, str) or not isinstance(principal, str) or not principal:
        raise CloudError(Code.CONTENT, reason="roleDefinitionId and principalId are needed")
    given = properties.get("principalType")
    if given is not None and not _knows_principal_type(asked):
        member = "Could not find member 'principalType' on object of type 'RoleAssignment'"
        raise CloudError(Code.CONTENT, reason=member)
    _require_principal(arm, principal, given)
    role = _role(definition.rpartition("/")[2])
    listed = arm.directory.principals().get(principal, ("ServicePrincipal", None))
    counts_at = time.monotonic() + arm.options.grant_seconds
    kind = given or listed[0]
    return Assignment(name, asked.scope, principal.lower(), role, kind, counts_at)


def _require_principal(arm: ResourceManager, principal: str, given: object) -> None:
    """CloudError for a principal that Entra does not know, or not yet: its type helps then.

    AD FS is not asked: its object ids can be SIDs.
    """
    if arm.hosts.idp is IdentityProvider.ADFS or arm.knows_principal(principal.lower()):
        return
    if principal.lower() in arm.principals and given == "ServicePrincipal":
        return
    tenant = arm.directory.tenant
    raise CloudError(Code.PRINCIPAL_NOT_FOUND, principal=principal, tenant=tenant)


def _knows_principal_type(asked: ArmRequest) -> bool:
    return asked.request.query["api-version"] >= PRINCIPAL_TYPE_SINCE


def _role(definition_id: str) -> BuiltInRole:
    for role in BuiltInRole:
        if role.definition_id == definition_id.lower():
            return role
    raise CloudError(Code.DEFINITION_NOT_FOUND, name=definition_id)


def _definition(asked: ArmRequest, role: BuiltInRole) -> dict[str, object]:
    return {
        "id": _definition_id(asked, role),
        "name": role.definition_id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.role_name,
            "type": "BuiltInRole",
            "description": role.description,
            "assignableScopes": ["/"],
            "permissions": [{"actions": list(role.actions), "notActions": list(role.not_actions)}],
        },
    }


def _definition_id(asked: ArmRequest, role: BuiltInRole) -> str:
    base = f"{asked.contents.path}/providers/Microsoft.Authorization"
    return f"{base}/roleDefinitions/{role.definition_id}"


def _assignment(arm: ResourceManager, asked: ArmRequest, found: Assignment) -> dict[str, object]:
    properties: dict[str, Any] = {
        "roleDefinitionId": _definition_id(asked, found.role),
        "principalId": found.principal,
        "scope": found.scope,
    }
    if _knows_principal_type(asked):
        properties["principalType"] = found.principal_type
    return {
        "id": f"{found.scope}/providers/Microsoft.Authorization/roleAssignments/{found.name}",
        "name": found.name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": properties,
    }
