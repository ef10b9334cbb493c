"""Tags of a group or a resource by themselves, and the names in use: `az tag` asks for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.lists import values
from stacktui.stamp.arm.locks import require_unlocked
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager
from stacktui.stamp.arm.stores.groups import as_object, read_tags
from stacktui.stamp.messages import Response, json_response


def get_tags(arm: ResourceManager, asked: ArmRequest) -> Response:
    return _response(asked, _read(asked))


def put_tags(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Replace all tags."""
    return _write(asked, read_tags(as_object(asked.body()).get("properties")))


def patch_tags(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Merge tags, replace all, or delete those with the same name and value."""
    body = as_object(asked.body())
    given, known = read_tags(body.get("properties")), _read(asked)
    match str(body.get("operation")).lower():
        case "merge":
            return _write(asked, read_tags({"tags": {**known, **given}}))
        case "replace":
            return _write(asked, given)
        case "delete":
            kept = {name: value for name, value in known.items() if given.get(name) != value}
            return _write(asked, kept)
    raise CloudError(Code.CONTENT, reason="operation is Merge, Replace or Delete")


def delete_tags(arm: ResourceManager, asked: ArmRequest) -> Response:
    _write(asked, {})
    return Response(200)


def tag_names(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the tags in use in the subscription, with the number of groups and resources."""
    contents = asked.contents
    counts: dict[str, Counter[str]] = {}
    for tags in (
        *(group.tags for group in contents.groups.all()),
        *(resource.get("tags", {}) for resource in contents.resources.everywhere()),
    ):
        for name, value in tags.items():
            counts.setdefault(name, Counter())[value] += 1
    base = f"{contents.path}/tagNames"
    return values(
        [
            {
                "id": f"{base}/{name}",
                "tagName": name,
                "count": _count(found.total()),
                "values": [
                    {
                        "id": f"{base}/{name}/tagValues/{value}",
                        "tagValue": value,
                        "count": _count(number),
                    }
                    for value, number in sorted(found.items())
                ],
            }
            for name, found in sorted(counts.items())
        ]
    )


def _count(number: int) -> dict[str, object]:
    return {"type": "Total", "value": number}


def _read(asked: ArmRequest) -> Mapping[str, str]:
    if not asked.parts.get("resource"):
        return asked.contents.groups.get(asked.parts["group"]).tags
    tags: dict[str, str] = asked.resource().get("tags", {})
    return tags


def _write(asked: ArmRequest, tags: dict[str, str]) -> Response:
    require_unlocked(asked, "write")
    group = asked.contents.groups.writable(asked.parts["group"])
    if asked.parts.get("resource"):
        asked.resource()["tags"] = tags
    else:
        group.tags = tags
    return _response(asked, tags)


def _response(asked: ArmRequest, tags: Mapping[str, str]) -> Response:
    return json_response(
        200,
        {
            "id": f"{asked.scope}/providers/Microsoft.Resources/tags/default",
            "name": "default",
            "type": "Microsoft.Resources/tags",
            "properties": {"tags": dict(tags)},
        },
    )
