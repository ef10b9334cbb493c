"""Deployments of a group: read only, invented from its name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.lists import paged
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager
from stacktui.stamp.arm.stores.groups import StoredGroup
from stacktui.stamp.messages import Response, json_response


def list_deployments(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the deployments of a group, the newest first; none at the subscription's scope."""
    return paged(arm, asked.request, _of(arm, asked))


def get_deployment(arm: ResourceManager, asked: ArmRequest) -> Response:
    name = asked.parts["deployment"]
    for deployment in _of(arm, asked):
        if deployment["name"].lower() == name.lower():
            return json_response(200, deployment)
    raise CloudError(Code.DEPLOYMENT_NOT_FOUND, name=name)


def _of(arm: ResourceManager, asked: ArmRequest) -> list[dict[str, Any]]:
    name = asked.parts.get("group")
    if not name:
        return []
    group = asked.contents.groups.get(name)
    if not group.invented:
        return []
    now = arm.bearer_auth.clock.now()
    return [
        _document(asked.scope, group, number, now - timedelta(days=3 * number + 1))
        for number in range(len(group.name) % 3 + 1)
    ]


def _document(scope: str, group: StoredGroup, number: int, moment: datetime) -> dict[str, Any]:
    name = f"deploy-{group.name.removeprefix('rg-')}-{number + 1}"[:64]
    properties: dict[str, object] = {
        "provisioningState": "Succeeded",
        "mode": "Incremental",
        "timestamp": moment.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "duration": f"PT{number + 1}M12.5S",
        "correlationId": str(uuid5(UUID(int=0), f"{scope}{name}")),
    }
    if number == 1:
        detail = {"code": "SkuNotAvailable", "message": "The requested size is not available."}
        message = "At least one resource deployment operation failed."
        error = {"code": "DeploymentFailed", "message": message, "details": [detail]}
        properties |= {"provisioningState": "Failed", "error": error}
    return {
        "id": f"{scope}/providers/Microsoft.Resources/deployments/{name}",
        "name": name,
        "type": "Microsoft.Resources/deployments",
        "properties": properties,
    }
