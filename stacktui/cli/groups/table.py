"""How a resource group is written as a line."""

from __future__ import annotations

from stacktui.cli.arm_lists import Table
from stacktui.resources.model import ResourceGroup


def symbol(group: ResourceGroup) -> str:
    return "✓" if group.state.lower() == "succeeded" else "!"


def tags_text(group: ResourceGroup) -> str:
    return ", ".join(f"{name}={value}" for name, value in group.tags.items())


def cells(group: ResourceGroup) -> tuple[str, ...]:
    return group.name, group.location, group.state, tags_text(group), group.id


GROUPS = Table("groups", "resource group", ("name", "location", "state", "tags"), symbol, cells)
