"""Changes of resource groups on an embedded stamp, and what they left there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from stacktui.errors import FaultError
from stacktui.resources.group_changes import (
    GroupChangeError,
    carry_out,
    find_group,
    plan_creation,
    plan_tags,
)
from stacktui.resources.group_deletion import (
    DeletionAccepted,
    OperationResult,
    delete,
    plan_deletion,
)
from stacktui.resources.groups import group_path
from stacktui.resources.operations import Operation, OperationState, remembered
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from tests.resources.walks import USUAL, arm_of

FAULTS = (GroupChangeError, FaultError)


@dataclass
class Outcome:
    """How a change ended: the group's row, or the error; of a deletion, its events."""

    row: Mapping[str, Any] | None = None
    error: GroupChangeError | FaultError[Any] | None = None
    events: list[DeletionAccepted | OperationResult] = field(default_factory=list)

    @property
    def state(self) -> OperationState | None:
        last = self.events[-1] if self.events else None
        return last.state if isinstance(last, OperationResult) else None


async def created(
    stamp: RunningStamp, name: str, location: str = "local", limits: Limits = USUAL, **tags: str
) -> Outcome:
    async with arm_of(stamp, limits=limits) as (client, _):
        try:
            plan = await plan_creation(client, stamp.subscription_id, name, location, tags)
            return Outcome((await carry_out(client, plan))[1])
        except FAULTS as error:
            return Outcome(error=error)


async def tagged(
    stamp: RunningStamp, name: str, tags: Mapping[str, str | None], limits: Limits = USUAL
) -> Outcome:
    async with arm_of(stamp, limits=limits) as (client, _):
        try:
            plan = await plan_tags(client, stamp.subscription_id, name, tags)
            return Outcome((await carry_out(client, plan))[1] if plan.body else plan.row)
        except FAULTS as error:
            return Outcome(error=error)


async def deleted(
    stamp: RunningStamp, name: str, limits: Limits = USUAL, *, wait: bool = True
) -> Outcome:
    """Delete a group; without `wait`, leave it once ARM has taken the deletion."""
    done = Outcome()
    async with arm_of(stamp, limits=limits) as (client, _):
        try:
            plan = await plan_deletion(client, stamp.subscription_id, name)
            if plan is None:
                return done
            async with aclosing(delete(client, plan, None)) as events:
                async for event in events:
                    done.events.append(event)
                    if not wait:
                        break
        except FAULTS as error:
            done.error = error
    return done


async def row_of(stamp: RunningStamp, name: str) -> Mapping[str, Any] | None:
    """The group as ARM has it now."""
    async with arm_of(stamp) as (client, _):
        found = await find_group(client, group_path(client, stamp.subscription_id, name))
        return found and found[1]


async def operations(stamp: RunningStamp) -> tuple[Operation, ...]:
    """What is remembered."""
    async with arm_of(stamp) as (_, environment):
        return remembered(None, environment)
