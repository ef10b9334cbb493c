"""Managed identities: those assigned to a VM, and user-assigned ones as resources."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager, SubscriptionContents
from stacktui.stamp.arm.providers import lists_identities
from stacktui.stamp.arm.stores.groups import StoredGroup, as_object
from stacktui.stamp.arm.stores.resources import USER_IDENTITY, VIRTUAL_MACHINE, virtual_machine
from stacktui.stamp.directory import ManagedIdentity

SYSTEM, USER = "SystemAssigned", "UserAssigned"

GROUP, MACHINE = "rg-identity", "vm-ops"
"""The VM whose instance metadata service the stamp serves, where identities are resources."""


def assign(arm: ResourceManager, asked: ArmRequest, vm: dict[str, Any], body: object) -> None:
    """Replace the type of a VM's identity: `UserAssigned` alone takes the system identity away.

    User-assigned identities are added to those that it has (as `az vm identity assign` relies on),
    and one that is null is taken away; CloudError for one that does not exist.
    """
    wanted = as_object(body)
    types = {part.strip().lower() for part in str(wanted.get("type", "None")).split(",")}
    if not types <= {SYSTEM.lower(), USER.lower(), "none"}:
        raise _refusal(vm, f"The identity type '{wanted.get('type')}' is not supported")
    identity: dict[str, Any] = {}
    if SYSTEM.lower() in types:
        known = vm.get("identity", {}).get("principalId")
        identity |= {"principalId": known or _new_principal(arm), "tenantId": arm.directory.tenant}
    if USER.lower() in types:
        users = _users(arm, asked, vm, wanted.get("userAssignedIdentities") or {})
        if not users:
            raise _refusal(vm, "The identity ids must not be null or empty for 'UserAssigned'")
        identity["userAssignedIdentities"] = users
    has_users, has_system = "userAssignedIdentities" in identity, "principalId" in identity
    vm.pop("identity", None)
    if identity:
        kinds = [name for name, has in ((SYSTEM, has_system), (USER, has_users)) if has]
        vm["identity"] = {"type": ", ".join(kinds), **identity}


def new_user_identity(arm: ResourceManager) -> dict[str, Any]:
    """Return the properties of a new user-assigned identity, a principal from now on."""
    tenant = arm.directory.tenant
    return {"tenantId": tenant, "principalId": _new_principal(arm), "clientId": str(uuid4())}


def machine_identities(arm: ResourceManager) -> tuple[ManagedIdentity, ...]:
    """Return the identities that IMDS gives tokens for: those of the VM, where it is a resource."""
    contents = arm.subscriptions.get(arm.directory.subscription)
    if contents is None or not lists_identities(arm) or not arm.directory.managed_identities:
        return arm.directory.managed_identities
    contents.purge(arm.assignments)
    vm = contents.resources.find(machine_id(contents))
    identity = (vm or {}).get("identity", {})
    users = [
        ManagedIdentity(user["clientId"], user["principalId"], resource_id)
        for resource_id, user in identity.get("userAssignedIdentities", {}).items()
    ]
    system = identity.get("principalId")
    return (*([ManagedIdentity(system, system, None)] if system else []), *users)


def add_machine(arm: ResourceManager, contents: SubscriptionContents) -> None:
    """Add the VM, and the directory's managed identities as those assigned to it."""
    group = StoredGroup(GROUP, contents.groups.locations[0], invented=False)
    contents.groups.add(group)
    vm, _ = contents.resources.put(
        GROUP,
        VIRTUAL_MACHINE,
        MACHINE,
        {"properties": virtual_machine(machine_id(contents), MACHINE)},
    )
    tenant, users, types = arm.directory.tenant, {}, []
    for identity in arm.directory.managed_identities:
        ids = {"clientId": identity.client_id, "principalId": identity.object_id}
        if identity.resource_id is None:
            vm["identity"] = {"principalId": identity.object_id, "tenantId": tenant}
            types.append(SYSTEM)
            continue
        name = identity.resource_id.rpartition("/")[2]
        document = {"properties": {"tenantId": tenant, **ids}}
        made, _ = contents.resources.put(GROUP, USER_IDENTITY, name, document)
        users[made["id"]] = ids
    if users:
        types.append(USER)
        vm.setdefault("identity", {})["userAssignedIdentities"] = users
    if types:
        vm["identity"]["type"] = ", ".join(types)


def machine_id(contents: SubscriptionContents) -> str:
    return f"{contents.path}/resourceGroups/{GROUP}/providers/{VIRTUAL_MACHINE}/{MACHINE}"


def _users(
    arm: ResourceManager, asked: ArmRequest, vm: dict[str, Any], wanted: object
) -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = vm.get("identity", {}).get("userAssignedIdentities", {})
    given = as_object(wanted)
    removed = {resource_id.lower() for resource_id, value in given.items() if value is None}
    found = {name: ids for name, ids in known.items() if name.lower() not in removed}
    for resource_id, value in given.items():
        if value is None:
            continue
        identity = asked.contents.resources.find(resource_id) if lists_identities(arm) else None
        if identity is None or identity["type"] != USER_IDENTITY:
            raise _refusal(vm, f"The identity '{resource_id}' does not exist")
        properties = identity["properties"]
        found[identity["id"]] = {name: properties[name] for name in ("clientId", "principalId")}
    return found


def _new_principal(arm: ResourceManager) -> str:
    """Return the object id of a new principal, unknown to assignments until it is replicated."""
    object_id = str(uuid4())
    arm.principals[object_id] = time.monotonic() + arm.options.replication_seconds
    return object_id


def _refusal(vm: dict[str, Any], reason: str) -> CloudError:
    return CloudError(Code.IDENTITY_OPERATION, id=vm["id"], reason=reason)
