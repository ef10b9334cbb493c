"""What the holder of a token may do at a scope, by the actions that ARM lists for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from stacktui.resources.client import ArmClient
from stacktui.resources.model import Permission
from stacktui.text.json_fields import items

_GROUP = "Microsoft.Resources/subscriptions/resourceGroups"
# What is asked of a resource group, in words, and the action of ARM that it takes.
GROUP_ACTIONS = {
    "read": f"{_GROUP}/read",
    "write": f"{_GROUP}/write",
    "delete": f"{_GROUP}/delete",
    "assign roles": "Microsoft.Authorization/roleAssignments/write",
}


def allowed(permissions: Iterable[Permission], action: str) -> bool:
    """Return whether an action is allowed: by one permission that does not take it away again."""
    return any(
        _matches(each.actions, action) and not _matches(each.not_actions, action)
        for each in permissions
    )


def allowed_words(permissions: Iterable[Permission]) -> tuple[str, ...]:
    """Return what may be done with a resource group: the keys of GROUP_ACTIONS that are allowed."""
    known = tuple(permissions)
    return tuple(word for word, action in GROUP_ACTIONS.items() if allowed(known, action))


def read_permission(client: ArmClient, row: Mapping[str, Any]) -> Permission:
    def actions(key: str) -> tuple[str, ...]:
        found = items(row, key)
        return tuple(client.redactor.sanitize(each, 200) for each in found if isinstance(each, str))

    return Permission(actions("actions"), actions("notActions"))


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(_pattern(each).fullmatch(action) for each in patterns)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return an action with wildcards as a pattern; ARM compares without case."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
