"""The names of the standing steps. Light to import: the dashboard's first frame shows them."""

from __future__ import annotations

from typing import Final


class StepName:
    """The steps of every check; an optional step has a name of its own."""

    METADATA: Final = "metadata"
    TOKEN: Final = "token"  # noqa: S105 - the name of a step
    RESOURCE_GROUPS: Final = "resource-groups"


STANDING = (StepName.METADATA, StepName.TOKEN, StepName.RESOURCE_GROUPS)


def step_label(name: str) -> str:
    """Return a step's name as a screen shows it: `resource groups`."""
    return name.replace("-", " ")
