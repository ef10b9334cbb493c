"""Long-running operations, in both styles: a Location alone, and Azure-AsyncOperation."""

from __future__ import annotations

import time

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager
from stacktui.stamp.arm.stores.operations import Operation
from stacktui.stamp.messages import Response, json_response


def operation_result(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return 202 until the operation is done, then the status that it ends with.

    CloudError 409 when it failed.
    """
    operation = arm.operations.get(asked.parts["operation"])
    if operation is None:
        raise CloudError(Code.NOT_FOUND, path=asked.request.path)
    if not operation.done:
        return accepted(arm, asked, operation)
    if operation.failed:
        raise CloudError(Code.DELETION_BLOCKED, name=operation.name)
    return Response(operation.end)


def operation_status(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the status document that an Azure-AsyncOperation leads to."""
    operation = arm.operations.get(asked.parts["operation"])
    if operation is None:
        raise CloudError(Code.NOT_FOUND, path=asked.request.path)
    if not operation.done:
        running = {"name": operation.name, "status": "InProgress"}
        return json_response(200, running, _retry_after(arm))
    ended: dict[str, object] = {"name": operation.name, "status": "Succeeded"}
    if operation.failed:
        ended |= {"status": "Failed", **CloudError(Code.EXECUTION).document()}
    return json_response(200, ended)


def refuse_get(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Refuse a GET of a Location, as one provider does."""
    raise CloudError(Code.METHOD, {"Allow": "DELETE"}, method=asked.request.method)


def accepted(arm: ResourceManager, asked: ArmRequest, operation: Operation) -> Response:
    """Return 202 with a Location to poll."""
    return Response(202, headers=_location(arm, asked, operation))


def delete_accepted(arm: ResourceManager, asked: ArmRequest, namespace: str) -> Response:
    """Return 202 in the style of a provider.

    Compute gives Azure-AsyncOperation and a Location that its own GET refuses, others a Location.
    """
    operation = arm.operations.start(
        time.monotonic() + arm.options.delete_seconds, arm.options.operation_end
    )
    headers = _location(arm, asked, operation)
    if namespace == "Microsoft.Compute":
        headers["Location"] = _compute_url(arm, asked, "operationresults", operation)
        headers |= async_operation(arm, asked, operation)
    return Response(202, headers=headers)


def async_operation(
    arm: ResourceManager, asked: ArmRequest, operation: Operation
) -> dict[str, str]:
    """Return the header of the Azure-AsyncOperation style, as Microsoft.Compute sends it."""
    url = _compute_url(arm, asked, "operations", operation)
    return {"Azure-AsyncOperation": url, **_retry_after(arm)}


def _compute_url(arm: ResourceManager, asked: ArmRequest, kind: str, operation: Operation) -> str:
    where = f"/providers/Microsoft.Compute/locations/{arm.hosts.region}/{kind}/{operation.name}"
    version = asked.request.query["api-version"]
    return f"{arm.hosts.arm}{asked.contents.path}{where}?api-version={version}"


def _location(arm: ResourceManager, asked: ArmRequest, operation: Operation) -> dict[str, str]:
    version = asked.request.query["api-version"]
    # The results are ARM's own, whichever provider works: its api-version need not be ARM's.
    where = f"{asked.contents.path}/operationresults/{operation.name}"
    location = f"{arm.hosts.arm}{where}?api-version={version}"
    return {"Location": location, **_retry_after(arm)}


def _retry_after(arm: ResourceManager) -> dict[str, str]:
    return {"Retry-After": str(arm.options.retry_after)}
