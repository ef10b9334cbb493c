"""The resource groups of a subscription."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stacktui.resources.client import ArmClient
from stacktui.resources.listing import list_rows
from stacktui.resources.model import ArmProblem, ResourceGroup, ResourceGroupList
from stacktui.resources.subscriptions import is_id

_WHAT = "the resource groups"


async def resource_groups(client: ArmClient, subscription: str) -> ResourceGroupList:
    """Return the resource groups of a subscription, within the limits of rows and pages."""

    def read(row: Mapping[str, Any]) -> ResourceGroup:
        state = client.text(row, "properties", "provisioningState")
        return ResourceGroup(client.text(row, "name"), client.text(row, "location"), state)

    if not is_id(subscription):
        message = f"no usable subscription id: {subscription}"
        raise client.error(ArmProblem.SHAPE, _WHAT, 0, message=message)
    path = f"/subscriptions/{subscription}/resourcegroups"
    found = await list_rows(client, path, read, what=_WHAT)
    shown = client.redactor.sanitize(subscription, 80)
    return ResourceGroupList(shown, found.rows, found.pages, found.cut)
