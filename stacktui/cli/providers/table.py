"""How a resource provider is written as a line."""

from __future__ import annotations

from stacktui.cli.arm_lists import Table
from stacktui.resources.model import Provider


def symbol(provider: Provider) -> str:
    """Return a warning only for one that the samples need: most others are not registered."""
    if provider.registered:
        return "✓"
    return "!" if provider.needed else "–"


def cells(provider: Provider) -> tuple[str, ...]:
    needed = "for samples" if provider.needed else ""
    return provider.namespace, provider.state, str(len(provider.types)), needed


PROVIDERS = Table(
    "providers", "resource provider", ("namespace", "state", "types", "needed"), symbol, cells
)
