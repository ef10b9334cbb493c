"""The steps that write, only where they are asked for: to make and delete a group, and to delete
those that were left."""

from __future__ import annotations

from stacktui.check.step import Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.check.target import CheckTarget
from stacktui.check.write_probe import PROBE_LEFTOVERS, WRITE_PROBE, ProbeLeftovers, WriteProbe
from stacktui.transport.limits import Limits


async def _probe(context: StepContext) -> WriteProbe:
    from stacktui.check.probe_run import probe_write

    return await probe_write(context)


async def _remove(context: StepContext) -> ProbeLeftovers:
    from stacktui.check.probe_run import remove_leftovers

    return await remove_leftovers(context)


def _probes(target: CheckTarget) -> bool:
    return bool(target.write_probe)


def _removes(target: CheckTarget) -> bool:
    return target.remove_leftovers


def _limit(limits: Limits) -> float:
    """Return the seconds of a step whose deletion has a limit beside the step's."""
    return limits.step + limits.probe


REMOVE_LEFTOVERS = Step(
    PROBE_LEFTOVERS, _remove, needs=(StepName.RESOURCE_GROUPS,), applies=_removes, limit=_limit
)
PROBE = Step(
    WRITE_PROBE,
    _probe,
    needs=(StepName.RESOURCE_GROUPS, PROBE_LEFTOVERS),
    applies=_probes,
    limit=_limit,
)
