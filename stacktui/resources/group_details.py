"""What a resource group holds, and what protects it: each list can be refused by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacktui.resources.client import ArmClient
from stacktui.resources.groups import MAX_ID
from stacktui.resources.listing import RowPages, Rows, collect, stream_rows
from stacktui.resources.model import Deployment, Lock, Permission, Resource
from stacktui.resources.permissions import read_permission

_AUTHORIZATION = "/providers/Microsoft.Authorization"


@dataclass(frozen=True, slots=True)
class GroupDetails:
    """The lists of one group; the error of one that was refused is in its place."""

    resources: Rows[Resource]
    locks: Rows[Lock]
    deployments: Rows[Deployment]
    permissions: Rows[Permission]


async def group_details(client: ArmClient, path: str) -> GroupDetails:
    """Return the details of the group at a path, whose lists are read at the same time."""
    resources, locks, deployments, permissions = await asyncio.gather(
        collect(resource_pages(client, path)),
        collect(lock_pages(client, path)),
        collect(deployment_pages(client, path)),
        collect(permission_pages(client, path)),
    )
    return GroupDetails(resources, locks, deployments, permissions)


def newest_first(deployments: tuple[Deployment, ...]) -> list[Deployment]:
    return sorted(deployments, key=lambda each: each.time, reverse=True)


def resource_pages(client: ArmClient, group: str) -> RowPages[Resource]:
    """Return the pages of what is inside a group."""
    return stream_rows(client, f"{group}/resources", _read_resource, what="the resources")


def lock_pages(client: ArmClient, scope: str) -> RowPages[Lock]:
    """Return the pages of the locks at a scope, above it and below it."""
    return stream_rows(client, f"{scope}{_AUTHORIZATION}/locks", _read_lock, what="the locks")


def deployment_pages(client: ArmClient, group: str) -> RowPages[Deployment]:
    path = f"{group}/providers/Microsoft.Resources/deployments"
    return stream_rows(client, path, _read_deployment, what="the deployments")


def permission_pages(client: ArmClient, scope: str) -> RowPages[Permission]:
    """Return the pages of what the token's holder may do at a scope."""
    path = f"{scope}{_AUTHORIZATION}/permissions"
    return stream_rows(client, path, read_permission, what="the permissions")


def _read_resource(client: ArmClient, row: Mapping[str, Any]) -> Resource:
    name, kind = client.text(row, "name"), client.text(row, "type")
    return Resource(name, kind, client.text(row, "location"), client.text(row, "id", limit=MAX_ID))


def _read_lock(client: ArmClient, row: Mapping[str, Any]) -> Lock:
    scope = client.text(row, "id", limit=MAX_ID).rpartition(_AUTHORIZATION)[0]
    level, notes = client.text(row, "properties", "level"), client.text(row, "properties", "notes")
    return Lock(client.text(row, "name"), level, notes, scope)


def _read_deployment(client: ArmClient, row: Mapping[str, Any]) -> Deployment:
    return Deployment(
        client.text(row, "name"),
        client.text(row, "properties", "provisioningState"),
        client.text(row, "properties", "timestamp"),
        client.text(row, "properties", "error", "code"),
    )
