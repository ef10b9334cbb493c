"""Resource groups."""

from __future__ import annotations

from stacktui.stamp.arm.errors import CloudError
from stacktui.stamp.arm.lists import clauses, page, page_response, tagged
from stacktui.stamp.arm.locks import require_unlocked
from stacktui.stamp.arm.manager import READ_GROUPS, ArmRequest, ResourceManager
from stacktui.stamp.arm.operations import accepted
from stacktui.stamp.messages import Response, json_response


def list_groups(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return a page of the groups that the caller may read."""
    contents = asked.contents
    found = contents.groups.all()
    wanted = clauses(asked.request, "tagname", "tagvalue")
    if wanted:
        found = [group for group in found if tagged(group.tags, wanted)]
    if not arm.assignments.allows(asked.caller.object_id, READ_GROUPS, contents.path):
        held = arm.assignments.of(asked.caller.object_id)
        scopes = {assignment.scope.lower() for assignment in held}
        found = [g for g in found if f"{contents.path}/resourcegroups/{g.name}".lower() in scopes]
    rows, link = page(arm, asked.request, found)
    return page_response(map(contents.groups.document, rows), link)


def get_group(arm: ResourceManager, asked: ArmRequest) -> Response:
    groups = asked.contents.groups
    return json_response(200, groups.document(groups.get(asked.parts["group"])))


def head_group(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return 204 when the group exists, 404 without a body when it does not."""
    try:
        asked.contents.groups.get(asked.parts["group"])
    except CloudError:
        return Response(404)
    return Response(204)


def put_group(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Create a group, or replace the tags of one."""
    groups = asked.contents.groups
    require_unlocked(asked, "write")
    group, created = groups.put(asked.parts["group"], asked.body())
    return json_response(201 if created else 200, groups.document(group))


def patch_group(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Replace the tag map whole."""
    groups = asked.contents.groups
    require_unlocked(asked, "write")
    return json_response(200, groups.document(groups.patch(asked.parts["group"], asked.body())))


def delete_group(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return 202 with a Location to poll."""
    name = asked.parts["group"]
    asked.contents.groups.get(name)
    require_unlocked(asked, "delete")
    options = arm.options
    done_at = asked.contents.groups.delete(
        name, options.delete_seconds, fails=options.deletions_fail
    )
    return accepted(arm, asked, arm.operations.start(done_at, options.operation_end))
