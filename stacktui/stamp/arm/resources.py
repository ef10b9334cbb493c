"""Resources of any type: lists of a subscription, a group or a type, and one resource's life."""

from __future__ import annotations

import time
from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.lists import clauses, paged, tagged
from stacktui.stamp.arm.locks import require_unlocked
from stacktui.stamp.arm.machine_identity import assign, new_user_identity
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager
from stacktui.stamp.arm.operations import async_operation, delete_accepted
from stacktui.stamp.arm.providers import require_registered
from stacktui.stamp.arm.stores.groups import as_object, read_tags
from stacktui.stamp.arm.stores.resources import USER_IDENTITY, VIRTUAL_MACHINE, virtual_machine
from stacktui.stamp.arm.versions import family_of, require_version, spelling
from stacktui.stamp.messages import Response, json_response

LISTED = ("id", "name", "type", "location", "tags", "identity", "kind", "sku")
"""Properties of a resource in a list of all types."""

INSTANCE_VIEW = {
    "statuses": [
        {"code": "ProvisioningState/succeeded", "level": "Info"},
        {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"},
    ]
}
"""What a running VM reports beside its model."""


def list_resources(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return a page of the resources of the subscription or of one group, of all types."""
    store, name = asked.contents.resources, asked.parts.get("group")
    wanted = clauses(asked.request, "resourcetype", "resourcegroup", "name", "tagname", "tagvalue")
    name = name or wanted.get("resourcegroup")
    found = store.all(asked.contents.groups.get(name)) if name else store.everywhere()
    chosen = [
        {key: resource[key] for key in LISTED if key in resource}
        for resource in found
        if _is(resource, "type", wanted.get("resourcetype"))
        and _is(resource, "name", wanted.get("name"))
        and tagged(resource.get("tags", {}), wanted)
    ]
    return paged(arm, asked.request, chosen)


def list_of_type(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return a page of whole resources of one type."""
    kind = _kind(arm, asked)
    store, name = asked.contents.resources, asked.parts.get("group")
    found = store.all(asked.contents.groups.get(name)) if name else store.everywhere()
    return paged(arm, asked.request, [each for each in found if _is(each, "type", kind)])


def get_resource(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return a resource; `$expand=instanceView` adds the power state of a VM."""
    kind, parts = _kind(arm, asked), asked.parts
    document = asked.contents.resources.get(parts["group"], kind, parts["name"])
    expand = asked.request.query.get("$expand", "").lower()
    if kind == VIRTUAL_MACHINE and expand == "instanceview":
        properties = document["properties"] | {"instanceView": INSTANCE_VIEW}
        document = document | {"properties": properties}
    return json_response(200, document)


def put_resource(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Make or replace a resource; its properties are kept as they came."""
    kind, parts, body = _kind(arm, asked), asked.parts, as_object(asked.body())
    require_unlocked(asked, "write")
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise CloudError(Code.LOCATION_REQUIRED)
    store = asked.contents.resources
    properties = dict(as_object(body.get("properties") or {}))
    known = store.find(asked.scope)
    if kind == USER_IDENTITY:
        properties = known["properties"] if known else new_user_identity(arm)
    elif kind == VIRTUAL_MACHINE:
        properties = virtual_machine(asked.scope, parts["name"]) | properties
    document: dict[str, Any] = {
        "location": location,
        "properties": properties | {"provisioningState": "Succeeded"},
    }
    if kind == USER_IDENTITY:
        del document["properties"]["provisioningState"]
    if body.get("tags"):
        document["tags"] = read_tags(body)
    made, created = store.put(parts["group"], kind, parts["name"], document)
    if "identity" in body:
        assign(arm, asked, made, body["identity"])
    return json_response(201 if created else 200, made)


def patch_resource(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Replace the tags; of a VM its identity too, which takes `update_seconds`."""
    kind, parts, body = _kind(arm, asked), asked.parts, as_object(asked.body())
    require_unlocked(asked, "write")
    asked.contents.groups.writable(parts["group"])
    document = asked.contents.resources.get(parts["group"], kind, parts["name"])
    if "identity" in body:
        assign(arm, asked, document, body["identity"])
    if "tags" in body:
        document["tags"] = read_tags(body)
    if kind != VIRTUAL_MACHINE:
        return json_response(200, document)
    operation = arm.operations.start(time.monotonic() + arm.options.update_seconds)
    updating = document | {"properties": document["properties"] | {"provisioningState": "Updating"}}
    return json_response(200, updating, async_operation(arm, asked, operation))


def delete_resource(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return 202 in the style of the provider, 200 for an identity, 204 where there is none."""
    kind, store = _kind(arm, asked), asked.contents.resources
    require_unlocked(asked, "delete")
    if store.find(asked.scope) is None:
        return Response(204)
    if kind == USER_IDENTITY or not arm.options.deletions_fail:
        store.delete(asked.parts["group"], kind, asked.parts["name"])
    if kind == USER_IDENTITY:
        return Response(200)
    return delete_accepted(arm, asked, kind.partition("/")[0])


def _kind(arm: ResourceManager, asked: ArmRequest) -> str:
    """Return the type as its provider spells it.

    CloudError for a provider that is not there or not registered, for a type that it does not
    have, and for an api-version that this type is not served by.
    """
    namespace, kind = asked.parts["namespace"], asked.parts["kind"]
    version = asked.request.query["api-version"]
    require_registered(arm, asked, namespace)
    family = family_of(namespace, kind)
    if family is None:
        raise CloudError(Code.RESOURCE_TYPE, type=kind, namespace=namespace, version=version)
    require_version(family, arm.build, version, arm.hosts.region, kind)
    return spelling(namespace, kind)


def _is(resource: dict[str, Any], key: str, wanted: str | None) -> bool:
    return wanted is None or str(resource[key]).lower() == wanted.lower()
