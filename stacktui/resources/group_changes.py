"""Making a resource group, and changing its tags: planned, shown, sent (PROTOCOL.md section 4).

A PUT on a group that is there would replace its tags, and a PATCH replaces the map of tags whole:
so each looks first, and again after it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stacktui.environments.model import Environment
from stacktui.resources.client import ArmClient
from stacktui.resources.groups import group_path, resource_group
from stacktui.resources.model import ArmError, ResourceGroup
from stacktui.resources.subscriptions import subscription_path
from stacktui.resources.written import ChangeError, written
from stacktui.text.json_fields import items, mapping, text
from stacktui.text.shell import command_line, for_this_machine

NAME_RULE = "1 to 90 letters, digits, '-', '_', '.', '(' and ')', not ending in '.'"
TAG_RULE = "a tag's name has 1 to 512 characters without < > % & \\ ? /, its value at most 256"
_MAX_NAME, _MAX_TAG_NAME, _MAX_TAG_VALUE = 90, 512, 256
# The categories of .NET's `\w`, which is ARM's rule.
_WORD = ("L", "Mn", "Nd", "Pc")
_NOT_IN_TAGS = frozenset("<>%&\\?/")
# ARM's codes at 404; of another, as of a gateway's or of the subscription's, nobody knows.
_NO_GROUP = frozenset({"ResourceGroupNotFound", "ResourceNotFound", "NotFound"})
# The locations that are named where another was asked for.
_MOST_LOCATIONS = 20


class GroupChangeError(ChangeError):
    """A resource group cannot be made, tagged or deleted as asked."""


@dataclass(frozen=True, slots=True)
class GroupWrite:
    """A write that is planned: `method`, `path`, `version` and `body` are its request.

    `before` is the group as it was and `row` ARM's object, None where it is to be made. `tags` are
    those to be set, or to be removed where they are None; `body` holds what ARM is sent for that,
    others' tags too, and is None where nothing is to be changed.
    """

    name: str
    method: str
    path: str
    version: str
    body: Mapping[str, Any] | None
    before: ResourceGroup | None
    row: Mapping[str, Any] | None = field(repr=False, hash=False)
    tags: Mapping[str, str | None] = field(hash=False)
    location: str = ""


def request_lines(
    environment: Environment, method: str, path: str, version: str, body: object = None
) -> tuple[str, ...]:
    """Return a request as it is sent to an environment's ARM, to be shown; unsanitised."""
    sent = () if body is None else (json.dumps(body, ensure_ascii=False),)
    return (f"{method} {environment.arm}{path}?api-version={version}", *sent)


def is_group_name(name: str) -> bool:
    """Return whether ARM takes a name for a new resource group (NAME_RULE)."""
    fits = all(char in "-.()" or unicodedata.category(char).startswith(_WORD) for char in name)
    return fits and 0 < len(name) <= _MAX_NAME and not name.endswith(".")


def is_tag(name: str, value: str) -> bool:
    """Return whether ARM takes a tag (TAG_RULE)."""
    fits = bool(name.strip()) and _NOT_IN_TAGS.isdisjoint(name) and f"{name}{value}".isprintable()
    return fits and len(name) <= _MAX_TAG_NAME and len(value) <= _MAX_TAG_VALUE


def our_command(client: ArmClient, command: str, *words: str) -> str:
    """Return a command of ours for the client's environment, for this machine's shell."""
    config = ("--config", str(client.config)) if client.config else ()
    named = (*words, "-e", client.environment.name, *config)
    return for_this_machine(command_line(f"stacktui {command}", named))


async def find_group(
    client: ArmClient, path: str
) -> tuple[ResourceGroup, Mapping[str, Any]] | None:
    """Return what `resource_group` does; None where there is none in a subscription that is."""
    try:
        return await resource_group(client, path)
    except ArmError as error:
        if error.fault.status != 404 or error.fault.code not in _NO_GROUP:
            raise
        return None


async def listed_group(
    client: ArmClient, subscription: str, name: str
) -> tuple[str, ResourceGroup, Mapping[str, Any]] | None:
    """Return the path of a group in the case that ARM lists it in, and what `find_group` does."""
    path = group_path(client, subscription, name)
    found = await find_group(client, path)
    if found is None:
        return None
    if (listed := text(found[1], "name")).casefold() == name.casefold():
        path = group_path(client, subscription, listed)
    return path, *found


async def plan_creation(
    client: ArmClient, subscription: str, name: str, location: str, tags: Mapping[str, str]
) -> GroupWrite:
    """Return the request that makes a group of a valid name at a location of the stamp's.

    Raises GroupChangeError where it is there, or the stamp has no such location.
    """
    path = group_path(client, subscription, name)
    await _require_none(client, path, name, location, tags)
    where = await _location(client, subscription, location)
    body: dict[str, Any] = {"location": where} | ({"tags": dict(tags)} if tags else {})
    version = await client.version_of(path)
    return GroupWrite(name, "PUT", path, version, body, None, None, tags, where)


async def plan_tags(
    client: ArmClient, subscription: str, name: str, tags: Mapping[str, str | None]
) -> GroupWrite:
    """Return the request that sets these tags of a group, removes those of None, keeps the others.

    Raises GroupChangeError where it is not there or is being deleted.
    """
    found = await listed_group(client, subscription, name)
    if found is None:
        raise GroupChangeError(
            f"there is no resource group {client.redactor.sanitize(name)}",
            f"which there are: {our_command(client, 'groups list')}",
        )
    path, group, row = found
    _require_stays(client, group)
    merged = _merged(row, tags)
    body = None if merged == mapping(row, "tags") else {"tags": merged}
    version = await client.version_of(path)
    return GroupWrite(group.name, "PATCH", path, version, body, group, row, tags)


async def carry_out(client: ArmClient, plan: GroupWrite) -> tuple[ResourceGroup, Mapping[str, Any]]:
    """Send a plan's request, after a look at what is there now, and return the group that is there.

    Raises GroupChangeError, and what `ArmClient.request` raises where ARM refuses it.
    """
    return await (_create if plan.before is None else _tag)(client, plan)


async def _create(client: ArmClient, plan: GroupWrite) -> tuple[ResourceGroup, Mapping[str, Any]]:
    tags = {name: value for name, value in plan.tags.items() if value is not None}
    # Somebody may have made it while the question was read.
    await _require_none(client, plan.path, plan.name, plan.location, tags)

    async def made() -> tuple[ResourceGroup, Mapping[str, Any]] | None:
        found = await find_group(client, plan.path)
        if found is not None and not _is_as_asked(found[0], plan.location, tags):
            raise _is_there(client, plan.name, found[0], plan.location, tags)
        return found

    what = f"the resource group {plan.name}"
    return await written(
        lambda: client.request(
            plan.method, plan.path, plan.version, plan.body, what=f"creating {what}"
        ),
        made,
        what,
        GroupChangeError,
    )


async def _tag(client: ArmClient, plan: GroupWrite) -> tuple[ResourceGroup, Mapping[str, Any]]:
    what = f"the change of the tags of the resource group {plan.name}"
    group, row = await resource_group(client, plan.path)
    _require_stays(client, group)

    async def send() -> None:
        body = {"tags": _merged(row, plan.tags)}
        await client.request(plan.method, plan.path, plan.version, body, what=what)

    async def tagged() -> tuple[ResourceGroup, Mapping[str, Any]] | None:
        nonlocal group, row
        group, row = await resource_group(client, plan.path)
        return (group, row) if _merged(row, plan.tags) == mapping(row, "tags") else None

    return await written(send, tagged, what, GroupChangeError)


def _merged(row: Mapping[str, Any], tags: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a group's tags, as ARM has them, with a change; ARM compares names without case."""
    merged = dict(mapping(row, "tags"))
    for name, value in tags.items():
        known = [each for each in merged if each.casefold() == name.casefold()]
        for each in known:
            if value is None:
                del merged[each]
            else:
                merged[each] = value
        if not known and value is not None:
            merged[name] = value
    return merged


async def _require_none(
    client: ArmClient, path: str, name: str, location: str, tags: Mapping[str, str]
) -> None:
    if found := await find_group(client, path):
        raise _is_there(client, name, found[0], location, tags)


def _is_there(
    client: ArmClient, name: str, group: ResourceGroup, location: str, tags: Mapping[str, str]
) -> GroupChangeError:
    if group.is_deleting:
        return GroupChangeError(
            f"the resource group {group.name} is being deleted",
            f"create it once it is gone; whether it is: {our_command(client, 'groups list')}",
        )
    if _is_as_asked(group, location, tags):
        how = f"as asked for, at {group.location}"
    else:
        held = ", ".join(f"{key}={value}" for key, value in group.tags.items())
        how = f"at {group.location}, with {f'the tags {held}' if held else 'no tags'}: "
        how += "creating it would replace its tags"
    named = group.name or client.redactor.sanitize(name)
    return GroupChangeError(
        f"the resource group {named} is there already, {how}",
        f"to change its tags: {our_command(client, 'groups tag', named, '--tag', 'NAME=VALUE')}",
    )


def _is_as_asked(group: ResourceGroup, location: str, tags: Mapping[str, str]) -> bool:
    """Return whether a group is where it was asked for and has these tags, perhaps others too."""
    held = {name.casefold(): value for name, value in group.tags.items()}
    at = _plain(group.location) == _plain(location)
    return at and all(held.get(name.casefold()) == value for name, value in tags.items())


def _require_stays(client: ArmClient, group: ResourceGroup) -> None:
    if group.is_deleting:
        raise GroupChangeError(
            f"the resource group {group.name} is being deleted",
            f"once it is gone, it is in no list: {our_command(client, 'groups list')}",
        )


async def _location(client: ArmClient, subscription: str, wanted: str) -> str:
    """Return the stamp's name of a location. Raises GroupChangeError where it has none such."""
    names = []
    for row in await _location_rows(client, subscription):
        name = text(row, "name")
        if _plain(wanted) in (_plain(name), _plain(text(row, "displayName"))):
            return name
        names.append(client.text(row, "name"))
    shown = ", ".join(names[:_MOST_LOCATIONS]) or "none"
    more = f" and {len(names) - _MOST_LOCATIONS} more" if len(names) > _MOST_LOCATIONS else ""
    raise GroupChangeError(
        f"there is no location {client.redactor.sanitize(wanted)}; there are: {shown}{more}"
    )


async def location_names(client: ArmClient, subscription: str) -> tuple[str, ...]:
    """Return the names of a subscription's locations, in ARM's order."""
    rows = await _location_rows(client, subscription)
    return tuple(filter(None, (client.text(row, "name") for row in rows)))


async def _location_rows(client: ArmClient, subscription: str) -> list[Any]:
    what = "the locations"
    scope = subscription_path(client, subscription, what)
    return list(items(await client.read(f"{scope}/locations", what=what), "value"))


def _plain(location: str) -> str:
    """Return a location as ARM compares it: `West US 2` is `westus2`."""
    return location.replace(" ", "").casefold()
