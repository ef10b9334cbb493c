"""How a resource group is written as a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len, set_cell_size

from stacktui.cli.arm_lists import WIDEST, Table
from stacktui.resources.model import ResourceGroup, Subscription


def symbol(group: ResourceGroup) -> str:
    return "✓" if group.state.lower() == "succeeded" else "!"


def tags_text(group: ResourceGroup) -> str:
    return ", ".join(f"{name}={value}" for name, value in group.tags.items())


def cells(group: ResourceGroup) -> tuple[str, ...]:
    return group.name, group.location, group.state, tags_text(group), group.id


GROUPS = Table("groups", "resource group", ("name", "location", "state", "tags"), symbol, cells)


def of_subscriptions(found: Sequence[Subscription]) -> Table[ResourceGroup]:
    """Return the table of groups of several subscriptions, with the name of each one's."""
    names = {each.id.lower(): each.name or each.id for each in found}
    # All as wide as the widest: the next subscription's rows come when the columns stand.
    width = min(WIDEST, max(map(cell_len, names.values()), default=0))
    padded = {
        id_: name if cell_len(name) > width else set_cell_size(name, width)
        for id_, name in names.items()
    }

    def with_subscription(group: ResourceGroup) -> tuple[str, ...]:
        name, *rest = cells(group)
        return name, padded.get("".join(group.id.lower().split("/")[2:3]), ""), *rest

    name, *rest = GROUPS.heads
    return replace(GROUPS, heads=(name, "subscription", *rest), cells=with_subscription)
