"""The step that deletes the groups which earlier write probes left: only where it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime

from stacktui.check.probe_group import remove_group
from stacktui.check.step import Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.check.steps.write_probe import probe_limit
from stacktui.check.target import CheckTarget
from stacktui.check.write_probe import (
    PROBE_LEFTOVERS,
    ProbeLeftovers,
    ProbeState,
    is_left,
    leftovers,
)
from stacktui.identities.token import Token
from stacktui.resources.client import ArmClient, only
from stacktui.resources.connection import patient, unseen
from stacktui.resources.group_details import resource_pages
from stacktui.resources.groups import group_path, resource_group
from stacktui.resources.listing import collect
from stacktui.resources.model import ArmError, ArmProblem, ResourceGroupList


async def _run(context: StepContext) -> ProbeLeftovers:
    """Delete each that is still ours, old enough and empty when it is read again."""
    environment = context.target.environment
    client = ArmClient(context.session, environment, only(context.result(Token)), patient(unseen))
    found, now = context.result(ResourceGroupList), datetime.now(UTC)
    groups: dict[ProbeState, list[str]] = {state: [] for state in ProbeState}
    for group in leftovers(found.groups, now):
        path = group_path(client, found.subscription, group.name)
        what = f"the probe's group {group.name}"
        try:
            seen, _ = await resource_group(client, path)
        except ArmError as error:
            if error.fault.status != 404:
                raise
            continue
        if not is_left(seen, now):
            continue
        inside = await collect(resource_pages(client, path))
        if inside.error:
            raise inside.error
        if inside.rows:
            groups[ProbeState.LEFT].append(group.name)
            continue
        removal = await remove_group(client, path, what, environment.limits.probe)
        if removal.state in (ProbeState.LEFT, ProbeState.UNKNOWN):
            message = "its deletion has ended, and it is still there"
            raise removal.error or client.error(ArmProblem.OPERATION_FAILED, what, 200, "", message)
        groups[removal.state].append(group.name)
        context.partial = _facts(groups)
    return _facts(groups)


def _facts(groups: dict[ProbeState, list[str]]) -> ProbeLeftovers:
    states = (ProbeState.DELETED, ProbeState.DELETING, ProbeState.LEFT)
    return ProbeLeftovers(*(tuple(groups[state]) for state in states))


def _applies(target: CheckTarget) -> bool:
    return target.remove_leftovers


STEP = Step(
    PROBE_LEFTOVERS, _run, needs=(StepName.RESOURCE_GROUPS,), applies=_applies, limit=probe_limit
)
