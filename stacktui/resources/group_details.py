"""What a resource group holds, and what protects it: each list can be refused by itself."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from stacktui.resources.client import ArmClient
from stacktui.resources.groups import MAX_ID, read_tags
from stacktui.resources.listing import RowPages, Rows, collect, stream_rows
from stacktui.resources.model import Deployment, Lock, Permission, Resource, ResourceDetails
from stacktui.resources.permissions import read_permission
from stacktui.resources.role_paths import AUTHORIZATION
from stacktui.resources.subscriptions import subscription_path

_WHAT = "the resources"


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
    return stream_rows(client, f"{group}/resources", _read_resource, what=_WHAT)


async def resource_details(client: ArmClient, path: str) -> ResourceDetails:
    """Return the resource at a path, asked for with the api-version of its type."""
    row = await client.read(path, what=f"the resource {path.rpartition('/')[2]}")
    return ResourceDetails(
        _read_resource(client, row),
        read_tags(client, row),
        client.text(row, "kind"),
        client.text(row, "sku", "name"),
        client.text(row, "properties", "provisioningState"),
        _document(client, row),
    )


def _document(client: ArmClient, row: Mapping[str, Any]) -> str:
    """Return an object as JSON without our secrets: a stamp may echo the token."""
    lines = json.dumps(row, indent=2).splitlines()
    return "\n".join(client.redactor.sanitize_untrusted(each, len(each) + 1) for each in lines)


def lock_pages(client: ArmClient, scope: str) -> RowPages[Lock]:
    """Return the pages of the locks at a scope, above it and below it."""
    return stream_rows(client, f"{scope}{AUTHORIZATION}/locks", _read_lock, what="the locks")


def deployment_pages(client: ArmClient, group: str) -> RowPages[Deployment]:
    path = f"{group}/providers/Microsoft.Resources/deployments"
    return stream_rows(client, path, _read_deployment, what="the deployments")


def permission_pages(client: ArmClient, scope: str) -> RowPages[Permission]:
    """Return the pages of what the token's holder may do at a scope."""
    path = f"{scope}{AUTHORIZATION}/permissions"
    return stream_rows(client, path, read_permission, what="the permissions")


async def resource_counts(
    client: ArmClient, subscription: str
) -> AsyncGenerator[Mapping[str, int], None]:
    """Yield of each page of a subscription's resources how many are in which group.

    Groups are named by their path in lower case. Raises as `stream_rows` does.
    """
    scope = subscription_path(client, subscription, _WHAT)
    rows = stream_rows(client, f"{scope}/resources", _group_of, what=_WHAT)
    async with aclosing(rows) as pages:
        async for page in pages:
            yield Counter(page)


def _group_of(client: ArmClient, row: Mapping[str, Any]) -> str:
    return "/".join(client.text(row, "id", limit=MAX_ID).lower().split("/", 5)[:5])


def _read_resource(client: ArmClient, row: Mapping[str, Any]) -> Resource:
    name, kind = client.text(row, "name"), client.text(row, "type")
    return Resource(name, kind, client.text(row, "location"), client.text(row, "id", limit=MAX_ID))


def _read_lock(client: ArmClient, row: Mapping[str, Any]) -> Lock:
    scope = client.text(row, "id", limit=MAX_ID).rpartition(AUTHORIZATION)[0]
    level, notes = client.text(row, "properties", "level"), client.text(row, "properties", "notes")
    return Lock(client.text(row, "name"), level, notes, scope)


def _read_deployment(client: ArmClient, row: Mapping[str, Any]) -> Deployment:
    return Deployment(
        client.text(row, "name"),
        client.text(row, "properties", "provisioningState"),
        client.text(row, "properties", "timestamp"),
        client.text(row, "properties", "error", "code"),
    )
