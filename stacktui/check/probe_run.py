"""Running a write probe, and deleting what earlier ones left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from stacktui.check.probe_group import Removal, look, remove_group
from stacktui.check.step import StepContext
from stacktui.check.write_probe import (
    ProbeLeftovers,
    ProbeState,
    WriteProbe,
    is_left,
    leftovers,
    made_at,
    probe_tags,
)
from stacktui.config.read_only import ReadOnlyError
from stacktui.errors import FaultError
from stacktui.identities.token import Token
from stacktui.resources.client import ArmClient, only
from stacktui.resources.connection import patient, unseen
from stacktui.resources.group_changes import find_group
from stacktui.resources.group_details import resource_pages
from stacktui.resources.groups import group_path, resource_group
from stacktui.resources.listing import collect, list_rows
from stacktui.resources.model import ArmError, ArmProblem, ResourceGroupList
from stacktui.resources.operations import OperationsFileError, deletion_of, remember
from stacktui.resources.retry import RetryPolicy
from stacktui.resources.subscriptions import subscription_path
from stacktui.transport.background import in_background
from stacktui.transport.limits import Limits


async def probe_write(context: StepContext) -> WriteProbe:
    """Make, read and delete the group; what is known of it meanwhile is `context.partial`.

    Whatever fails, the group is deleted if it was made. The create and the read are sent once, as
    what fails there is what the check looks for; the deletion is patient.
    """
    environment, token = context.target.environment, only(context.result(Token))
    client = ArmClient(context.session, environment, token)
    limits, name = environment.limits, context.target.write_probe
    cleaner = ArmClient(context.session, environment, token, _patience(limits))
    listed = context.result(ResourceGroupList)
    subscription, what = listed.subscription, f"the probe's group {name}"
    earlier = tuple(each.name for each in listed.groups if made_at(each) and each.is_deleting)
    probe = WriteProbe(name, ProbeState.ABSENT, subscription, earlier=earlier)
    context.partial = probe
    path = group_path(client, subscription, name)
    try:
        async with asyncio.timeout(limits.step):
            location = await _first_location(client, subscription)
            probe = replace(probe, state=ProbeState.UNKNOWN, location=location)
            context.partial = probe
            body = {"location": location, "tags": probe_tags(datetime.now(UTC))}
            started = perf_counter()
            await client.request("PUT", path, body=body, what=what)
            probe = replace(probe, created=perf_counter() - started)
            context.partial = probe
            started = perf_counter()
            group, _ = await resource_group(client, path)
            if made_at(group) is None or group.name.lower() != name:
                message = "it came back with another name, or without its tag"
                raise client.error(ArmProblem.SHAPE, what, 200, message=message)
            probe = replace(probe, read=perf_counter() - started)
    except (FaultError, TimeoutError) as error:
        if probe.location:
            probe = await _after_fault(cleaner, path, what, limits, probe, error)
            context.partial = probe
            await _remember(context, probe.state, subscription, name, path)
        raise
    started = perf_counter()
    removal = await remove_group(cleaner, path, what, limits.probe)
    probe = replace(probe, state=removal.state, deleted=_since(started, removal))
    context.partial = probe
    await _remember(context, removal.state, subscription, name, path)
    _require_removed(client, removal, what)
    return probe


async def _remember(
    context: StepContext, state: ProbeState, subscription: str, name: str, path: str
) -> None:
    """Put a deletion that goes on among the operations that are remembered, if that is possible:
    else the next write probe finds it, as each does."""
    if state is ProbeState.DELETING:
        of = context.target
        operation = deletion_of(of.config, of.environment, subscription, name, path)
        with suppress(OperationsFileError, ReadOnlyError):
            await in_background(lambda: remember(operation))


async def _after_fault(
    client: ArmClient,
    path: str,
    what: str,
    limits: Limits,
    probe: WriteProbe,
    error: FaultError[Any] | TimeoutError,
) -> WriteProbe:
    """Delete what may have been made, and return what is known of it."""
    if probe.created is None:
        if isinstance(error, ArmError) and error.refused:
            return replace(probe, state=ProbeState.ABSENT)
        found = await look(client, path, 0.0)
        if found.state is ProbeState.DELETED:
            return replace(probe, state=ProbeState.ABSENT)
    started = perf_counter()
    removal = await remove_group(client, path, what, limits.probe)
    return replace(probe, state=removal.state, deleted=_since(started, removal))


def _require_removed(client: ArmClient, removal: Removal, what: str) -> None:
    if removal.state in (ProbeState.LEFT, ProbeState.UNKNOWN):
        message = "its deletion has ended, and it is still there"
        raise removal.error or client.error(ArmProblem.OPERATION_FAILED, what, 200, "", message)


def _patience(limits: Limits) -> RetryPolicy:
    return replace(patient(unseen), longest_wait=limits.probe)


def _since(started: float, removal: Removal) -> float | None:
    ended = removal.state in (ProbeState.DELETED, ProbeState.DELETING)
    return perf_counter() - started if ended else None


async def _first_location(client: ArmClient, subscription: str) -> str:
    """Return the first location of a subscription: a stamp has one."""
    what = "the locations"

    def read(row: Mapping[str, Any]) -> str:
        return client.text(row, "name")

    path = f"{subscription_path(client, subscription, what)}/locations"
    found = next(filter(None, (await list_rows(client, path, read, what=what)).rows), None)
    if found is None:
        raise client.error(ArmProblem.SHAPE, what, 200, message="ARM lists none")
    return found


async def remove_leftovers(context: StepContext) -> ProbeLeftovers:
    """Delete each that is still ours, old enough and empty when it is read again."""
    environment = context.target.environment
    token, limits = only(context.result(Token)), environment.limits
    client = ArmClient(context.session, environment, token, _patience(limits))
    found, now = context.result(ResourceGroupList), datetime.now(UTC)
    groups: dict[ProbeState, list[str]] = {state: [] for state in ProbeState}
    for group in leftovers(found.groups, now):
        path = group_path(client, found.subscription, group.name)
        what = f"the probe's group {group.name}"
        seen = await find_group(client, path)
        if seen is None or not is_left(seen[0], now):
            continue
        inside = await collect(resource_pages(client, path))
        if inside.error:
            raise inside.error
        if inside.rows:
            groups[ProbeState.LEFT].append(group.name)
            continue
        removal = await remove_group(client, path, what, limits.probe)
        await _remember(context, removal.state, found.subscription, group.name, path)
        _require_removed(client, removal, what)
        groups[removal.state].append(group.name)
        context.partial = _facts(groups)
    return _facts(groups)


def _facts(groups: dict[ProbeState, list[str]]) -> ProbeLeftovers:
    states = (ProbeState.DELETED, ProbeState.DELETING, ProbeState.LEFT)
    return ProbeLeftovers(*(tuple(groups[state]) for state in states))
