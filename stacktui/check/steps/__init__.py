"""The list of steps: a further, optional one has a module of its own here, and a place in it."""

from __future__ import annotations

from stacktui.check.step import Step
from stacktui.check.steps.metadata import METADATA
from stacktui.check.steps.operator_health import OPERATOR_HEALTH
from stacktui.check.steps.resource_groups import RESOURCE_GROUPS
from stacktui.check.steps.token import TOKEN
from stacktui.check.steps.write_probe import PROBE, REMOVE_LEFTOVERS
from stacktui.check.target import CheckTarget

STEPS: tuple[Step, ...] = (
    METADATA,
    TOKEN,
    RESOURCE_GROUPS,
    OPERATOR_HEALTH,
    REMOVE_LEFTOVERS,
    PROBE,
)


def steps_of(target: CheckTarget, goal: str | None = None) -> tuple[Step, ...]:
    """Return the steps of a target's check, in order; with a `goal`, that step and all it needs."""
    steps = tuple(step for step in STEPS if step.applies(target))
    if goal is None:
        return steps
    needed = {goal}
    for step in reversed(steps):
        needed.update(step.needs if step.name in needed else ())
    return tuple(step for step in steps if step.name in needed)
