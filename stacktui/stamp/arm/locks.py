"""Management locks, of a subscription, a group or a resource."""

from __future__ import annotations

from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.lists import values
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager
from stacktui.stamp.arm.stores.groups import as_object
from stacktui.stamp.arm.stores.roles import within
from stacktui.stamp.messages import Response, json_response

LEVELS = ("CanNotDelete", "ReadOnly")


def list_locks(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the locks at the scope, above it and below it."""
    asked.require_scope()
    return values(
        [
            lock
            for scope, locks in asked.contents.locks.items()
            if within(asked.scope, scope) or within(scope, asked.scope)
            for lock in locks.values()
        ]
    )


def get_lock(arm: ResourceManager, asked: ArmRequest) -> Response:
    name = asked.parts["lock"]
    lock = asked.contents.locks.get(asked.scope.lower(), {}).get(name.lower())
    if lock is None:
        raise CloudError(Code.LOCK_NOT_FOUND, name=name)
    return json_response(200, lock)


def put_lock(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Lock a scope."""
    asked.require_scope()
    properties = as_object(as_object(asked.body()).get("properties"))
    level = properties.get("level")
    if level not in LEVELS:
        raise CloudError(Code.LOCK_LEVEL, level=level)
    name = asked.parts["lock"]
    locks = asked.contents.locks.setdefault(asked.scope.lower(), {})
    created = name.lower() not in locks
    locks[name.lower()] = lock_document(asked.scope, name, level, str(properties.get("notes", "")))
    return json_response(201 if created else 200, locks[name.lower()])


def delete_lock(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return 200, or 204 where there is none."""
    locks = asked.contents.locks.get(asked.scope.lower(), {})
    return Response(200 if locks.pop(asked.parts["lock"].lower(), None) else 204)


def require_unlocked(asked: ArmRequest, verb: str) -> None:
    """CloudError 409 when a lock forbids to `write` or `delete` the scope of a request.

    Locks of a scope hold for what is in it, and one below it forbids its deletion too.
    """
    for scope, locks in asked.contents.locks.items():
        for lock in locks.values():
            above = within(asked.scope, scope)
            below = verb == "delete" and within(scope, asked.scope)
            stops = verb == "delete" or lock["properties"]["level"] == "ReadOnly"
            if stops and (above or below):
                locked = lock["id"].partition("/providers/Microsoft.Authorization/")[0]
                raise CloudError(Code.SCOPE_LOCKED, scope=asked.scope, verb=verb, locked=locked)


def lock_document(scope: str, name: str, level: str, notes: str) -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/locks/{name}",
        "name": name,
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": level} | ({"notes": notes} if notes else {}),
    }
