"""The resource groups of a subscription."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

from stacktui.errors import FaultError
from stacktui.resources.api_versions import VERSION_CODES, versions_in
from stacktui.resources.client import ArmClient
from stacktui.resources.listing import RowPages, list_rows, stream_rows
from stacktui.resources.model import (
    ArmError,
    ArmProblem,
    ArmRefusal,
    ResourceGroup,
    ResourceGroupList,
)
from stacktui.resources.subscriptions import subscription_path
from stacktui.text.json_fields import mapping

_WHAT = "the resource groups"
# Seconds: the fault is known already, and must be reported within the step's limit.
_BESIDE = 3.0
# The most characters of an id, and of a tag's name or value: the latter are ARM's limits.
MAX_ID, _MAX_TAG = 1024, 512


def read_group(client: ArmClient, row: Mapping[str, Any]) -> ResourceGroup:
    return ResourceGroup(
        client.text(row, "name"),
        client.text(row, "location"),
        client.text(row, "properties", "provisioningState"),
        client.text(row, "id", limit=MAX_ID),
        read_tags(client, row),
    )


def read_tags(client: ArmClient, row: Mapping[str, Any]) -> dict[str, str]:
    sanitize = client.redactor.sanitize
    return {
        sanitize(name, _MAX_TAG): sanitize(value, _MAX_TAG)
        for name, value in mapping(row, "tags").items()
        if isinstance(value, str)
    }


async def resource_groups(client: ArmClient, subscription: str) -> ResourceGroupList:
    """Return the resource groups of a subscription, within the limits of rows and pages."""
    path = f"{subscription_path(client, subscription, _WHAT)}/resourcegroups"
    found = await list_rows(client, path, partial(read_group, client), what=_WHAT)
    shown = client.redactor.sanitize(subscription, 80)
    return ResourceGroupList(shown, found.rows, found.pages, found.cut)


async def with_next_refusal(client: ArmClient, subscription: str, error: ArmError) -> ArmError:
    """Return `error` with what is refused beyond it, where it refuses the api-version.

    Asks for the resource groups once more, with a version that ARM names. Returns `error` itself
    where that works, or is not known soon.
    """
    if error.fault.code not in VERSION_CODES:
        return error
    version = max(versions_in(error.fault.message), default="")
    path = f"{subscription_path(client, subscription, _WHAT)}/resourcegroups"
    try:
        async with asyncio.timeout(_BESIDE):
            if version:
                await client.read(path, version, what=_WHAT)
    except ArmError as next_error:
        seen = next_error.fault
        if seen.problem is ArmProblem.REFUSED and seen.code not in VERSION_CODES:
            refusal = ArmRefusal(
                seen.status, seen.code, seen.message, seen.request_id, seen.correlation_id
            )
            return ArmError(replace(error.fault, next_refusal=refusal))
    except (FaultError, TimeoutError):
        pass
    return error


def group_pages(client: ArmClient, subscription: str, start: str = "") -> RowPages[ResourceGroup]:
    """Return the pages of all resource groups of a subscription, as `stream_rows` yields them."""
    path = f"{subscription_path(client, subscription, _WHAT)}/resourcegroups"
    return stream_rows(client, path, read_group, what=_WHAT, start=start)


def group_path(client: ArmClient, subscription: str, name: str) -> str:
    """Return the path of a resource group; ArmError for an id that no subscription can have."""
    scope = subscription_path(client, subscription, _WHAT)
    return f"{scope}/resourceGroups/{quote(name, '()', errors='replace')}"


async def resource_group(
    client: ArmClient, path: str, api_version: str | None = None
) -> tuple[ResourceGroup, Mapping[str, Any]]:
    """Return the resource group at a path, and ARM's object, unsanitised."""
    name = path.rpartition("/")[2]
    row = await client.read(path, api_version, what=f"the resource group {name}")
    return read_group(client, row), row
