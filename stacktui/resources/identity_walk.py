"""The walk: a managed identity from nothing to a proof that it works (`identity_steps`).

Nothing is written before all that the steps need has been found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from typing import Any

from stacktui.errors import FaultError
from stacktui.resources.identity_steps import (
    STEPS,
    Walk,
    WalkOutcome,
    WalkStepName,
    WalkStepResult,
    WalkStepStarted,
)
from stacktui.resources.managed_identities import ManagedIdentityError

_NOT_DONE = frozenset({WalkOutcome.FAILED, WalkOutcome.SKIPPED})


async def walk(
    where: Walk, names: Collection[WalkStepName] = tuple(WalkStepName)
) -> AsyncIterator[WalkStepStarted | WalkStepResult]:
    """Do the steps of these names, and yield how each ended. Raises what `Confirm` raises."""
    steps = [each for each in STEPS if each.name in names]
    where.creates = WalkStepName.CREATE in names
    done: dict[WalkStepName, WalkOutcome] = {}
    for step in steps:
        try:
            await step.look(where)
        except (FaultError, ManagedIdentityError) as error:
            for each in stopped([each.name for each in steps], step.name, error):
                yield each
            return
    for step in steps:
        lacking = [each for each in step.needs if done.get(each) in _NOT_DONE]
        if lacking:
            result = _skipped(step.name, lacking[0])
        else:
            yield WalkStepStarted(step.name)
            try:
                result = await step.run(where)
            except (FaultError, ManagedIdentityError) as error:
                result = _failed(step.name, error)
        done[step.name] = result.outcome
        yield result


def stopped(
    names: Iterable[WalkStepName], at: WalkStepName, error: FaultError[Any] | ManagedIdentityError
) -> list[WalkStepResult]:
    """Return how these steps end where an error at one of them ends the walk."""
    return [_failed(each, error) if each is at else _skipped(each, at) for each in names]


def _failed(name: WalkStepName, error: FaultError[Any] | ManagedIdentityError) -> WalkStepResult:
    return WalkStepResult(name, WalkOutcome.FAILED, str(error), error=error)


def _skipped(name: WalkStepName, because: WalkStepName) -> WalkStepResult:
    return WalkStepResult(name, WalkOutcome.SKIPPED, f"not done, because of {because}")
