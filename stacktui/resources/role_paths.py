"""Scopes of roles and the paths of assignments, as texts (PROTOCOL.md section 4). Light to import.

A scope is ARM's path of a subscription, a resource group or a resource, as ARM lists it: unquoted,
without a slash at its end.
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from stacktui.resources.model import Principal, RoleAssignment, RoleDefinition

AUTHORIZATION = "/providers/Microsoft.Authorization"
ASSIGNMENTS = f"{AUTHORIZATION}/roleAssignments"
# The same on every stamp and in public Azure.
CONTRIBUTOR = RoleDefinition("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor")
READER = RoleDefinition("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader")
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ASSIGNMENT_ID = re.compile(
    rf"(?P<scope>/.*|){re.escape(ASSIGNMENTS)}/(?P<name>{_GUID})", re.IGNORECASE
)
# AD FS may have a SID ([MS-DTYP] section 2.4.2.1) in place of a GUID.
_OBJECT_ID = re.compile(rf"{_GUID}|S-1(?:-[0-9]+){{1,16}}", re.IGNORECASE | re.ASCII)
# The year of the api-versions that know `principalType`; stamps have none of them.
_PRINCIPAL_TYPE_SINCE = "2018"


class Reach(StrEnum):
    """Where an assignment is, as seen from a scope; it counts there unless it is BELOW."""

    DIRECT = "direct"
    INHERITED = "inherited"
    BELOW = "below"


def is_object_id(text: str) -> bool:
    """Return whether a text is an object id as directories write it. ARM may take others."""
    return _OBJECT_ID.fullmatch(text) is not None


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
    return f"{quoted(scope)}{ASSIGNMENTS}/{quote(name, '')}"


def assignment_body(
    scope: str, role: RoleDefinition, principal: Principal, version: str
) -> dict[str, dict[str, str]]:
    """Return what a PUT of an assignment sends, with this api-version."""
    # A role is defined once for a subscription, whatever in it is the scope.
    below = scope.split("/", 3)[:3] if scope.lower().startswith("/subscriptions/") else []
    properties = {
        "roleDefinitionId": f"{'/'.join(below)}{AUTHORIZATION}/roleDefinitions/{role.id}",
        "principalId": principal.object_id,
    }
    if principal.is_application and version >= _PRINCIPAL_TYPE_SINCE:
        properties["principalType"] = "ServicePrincipal"
    return {"properties": properties}
