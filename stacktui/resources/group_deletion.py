"""Deleting a resource group: what is in it, the request, and how the deletion goes on in ARM.

ARM answers 202 and a `Location` to poll (PROTOCOL.md section 4). The operation is remembered from
before the request until its end has been seen; that the group is gone is its end, whatever the
polls say.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stacktui.config.read_only import ReadOnlyError
from stacktui.environments.model import Environment
from stacktui.errors import FaultError
from stacktui.resources.client import POLL_TIMEOUT, ArmClient
from stacktui.resources.group_changes import (
    GroupChangeError,
    find_group,
    listed_group,
    our_command,
)
from stacktui.resources.group_details import lock_pages, resource_pages
from stacktui.resources.listing import Rows, collect
from stacktui.resources.model import Lock, Resource, ResourceGroup
from stacktui.resources.operations import (
    Operation,
    OperationsFileError,
    OperationState,
    deletion_of,
    forget,
    remember,
    remembered,
)
from stacktui.resources.response import ArmResponse
from stacktui.resources.retry import is_passing, no_answer, status_of
from stacktui.resources.written import written
from stacktui.transport.background import in_background

# How many polls in a row may get no answer: minutes, as each waits as long as ARM said.
MISSES = 20
# With these a poll ends an operation that has been carried out.
_DONE = frozenset({200, 204})
# Seconds between two looks at a group in deletion whose operation cannot be polled.
_PAUSE = 10.0
# A longer `Location` is no operation's.
_MAX_URL = 2048


@dataclass(frozen=True, slots=True)
class PlannedDeletion:
    """A group, as ARM lists it, with what is in it and what protects it.

    The error of a list that was refused is in its place.
    """

    subscription: str
    group: ResourceGroup
    path: str
    version: str
    resources: Rows[Resource]
    locks: Rows[Lock]
    row: Mapping[str, Any] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class DeletionAccepted:
    """ARM deletes the group, and does so from now on without us.

    `not_remembered` says why the operation could not be written down; empty where it is.
    """

    operation: Operation
    not_remembered: str = ""


@dataclass(frozen=True, slots=True)
class OperationResult:
    """How an operation is now, in one line of `words`; `error` is why it failed or is unknown.

    `gone` says that ARM was asked for the group and has none of its name.
    """

    operation: Operation
    state: OperationState
    words: str
    error: FaultError[Any] | None = None
    gone: bool = False


async def plan_deletion(client: ArmClient, subscription: str, name: str) -> PlannedDeletion | None:
    """Return the group of a name with what is in it; None where there is no such group."""
    found = await listed_group(client, subscription, name)
    if found is None:
        return None
    path, group, row = found
    resources, locks = await asyncio.gather(
        collect(resource_pages(client, path)), collect(lock_pages(client, path))
    )
    version = await client.version_of(path)
    return PlannedDeletion(subscription, group, path, version, resources, locks, row)


async def delete(
    client: ArmClient, plan: PlannedDeletion, config: Path | None
) -> AsyncGenerator[DeletionAccepted | OperationResult, None]:
    """Delete a group: yield that ARM has taken it, then its end, of SUCCEEDED or FAILED.

    One that is being deleted is not asked for again, and one that is gone ends at once. To leave
    the iteration leaves the operation remembered. Raises GroupChangeError where the end is unknown,
    and what `ArmClient.request` raises where ARM refuses.
    """
    of = client.environment
    operation = deletion_of(config, of, plan.subscription, plan.group.name, plan.path)
    response, found = None, await find_group(client, plan.path)
    if found is None:
        await _kept(forget, operation)
        yield _gone(operation)
        return
    if found[0].is_deleting:
        operation = await _known(config, of, operation)
    why_not = await _kept(remember, operation)
    if not found[0].is_deleting:
        try:
            response = await _sent(client, plan)
        except FaultError:  # refused, or not sent
            await _kept(forget, operation)
            raise
        if response is not None and (url := _own_location(client, response)):
            operation = replace(operation, url=url)
            why_not = await _kept(remember, operation)
    yield DeletionAccepted(operation, why_not)
    yield await follow(client, operation, response)


async def follow(
    client: ArmClient, operation: Operation, response: ArmResponse | None = None
) -> OperationResult:
    """Return how an operation ended, once it has; `response` is that of the DELETE, if known.

    Raises GroupChangeError where that is unknown. The operation is remembered then, and only then.
    """
    what, missed = _what(operation), 0
    listing = our_command(client, "operations list")
    help_ = f"it goes on without us; whether it has ended: {listing}"
    error: FaultError[Any] | None = None
    clock = asyncio.get_running_loop().time
    ends = clock() + POLL_TIMEOUT
    try:
        if response is None and operation.url:
            response = await client.operation(operation.url, what)
        if response is not None:
            response = await client.poll(response, what=what, misses=MISSES)
    except FaultError as caught:
        response, error = None, caught
    while True:
        result = await _looked(client, operation, response, error)
        match result.state:
            case OperationState.SUCCEEDED | OperationState.FAILED:
                await _kept(forget, operation)
                return result
            case OperationState.RUNNING:
                missed, shown = 0, (what, 202)
            case OperationState.UNKNOWN:
                missed += 1
                shown = no_answer(result.error, what), status_of(result.error)
                if missed > MISSES or (result.error and not is_passing(result.error)):
                    words = f"{what}: {result.words}"
                    raise GroupChangeError(words, help_, result.error, unknown=True)
        if clock() > ends:
            words = f"{what} has not ended in {POLL_TIMEOUT:g} s"
            raise GroupChangeError(words, help_, unknown=True)
        await client.wait(*shown, _PAUSE)


async def state_of(client: ArmClient, operation: Operation) -> OperationResult:
    """Return how an operation is now."""
    response: ArmResponse | None = None
    error: FaultError[Any] | None = None
    if operation.url:
        try:
            response = await client.operation(operation.url, _what(operation))
        except FaultError as caught:
            error = caught
    return await _looked(client, operation, response, error)


async def _sent(client: ArmClient, plan: PlannedDeletion) -> ArmResponse | None:
    """Send the DELETE, and return its response; None where it got none, but was carried out."""
    what, response = f"the deletion of the resource group {plan.group.name}", None

    async def send() -> None:
        nonlocal response
        response = await client.request("DELETE", plan.path, plan.version, what=what)

    async def has_begun() -> bool | None:
        if response is not None:
            return True
        found = await find_group(client, plan.path)
        return True if found is None or found[0].is_deleting else None

    await written(send, has_begun, what, GroupChangeError, ("has begun", "has not begun"))
    return response


async def _looked(
    client: ArmClient,
    operation: Operation,
    response: ArmResponse | None,
    error: FaultError[Any] | None,
) -> OperationResult:
    """Look at the group, and say how its deletion is, of which ARM said `response` or `error`."""
    done = response is not None and response.status in _DONE
    try:
        found = await find_group(client, operation.path)
    except FaultError as caught:
        if done:
            words = "ARM says that it has ended"
            return OperationResult(operation, OperationState.SUCCEEDED, words)
        words = f"whether the group is gone is unknown: {caught}"
        return OperationResult(operation, OperationState.UNKNOWN, words, caught)
    if found is None:
        return _gone(operation)
    if found[0].is_deleting or (response is not None and response.status == 202):
        return OperationResult(operation, OperationState.RUNNING, "ARM deletes the group")
    if done:
        words = "it was deleted, and a group of its name is there again"
        return OperationResult(operation, OperationState.SUCCEEDED, words)
    words = "the group is there and not in deletion: it was not deleted, or made anew"
    if error is not None and not is_passing(error):
        words = f"ARM did not delete the group: {error}"
    return OperationResult(operation, OperationState.FAILED, words, error)


def _gone(operation: Operation) -> OperationResult:
    state = OperationState.SUCCEEDED
    return OperationResult(operation, state, "the group is gone", gone=True)


async def _known(config: Path | None, environment: Environment, operation: Operation) -> Operation:
    """Return what is remembered of the same operation, which has its URL and its beginning."""
    try:
        found = await in_background(lambda: remembered(config, environment))
    except OperationsFileError:
        return operation
    return next((each for each in found if each.key == operation.key), operation)


async def _kept(change: Callable[[Operation], None], operation: Operation) -> str:
    """Change what is remembered; return why that is not possible, which ends no deletion."""
    try:
        await in_background(lambda: change(operation))
    except (OperationsFileError, ReadOnlyError) as error:
        return str(error)
    return ""


def _own_location(client: ArmClient, response: ArmResponse) -> str:
    """Return the URL to poll; empty for one that leads elsewhere or may hold a secret of ours."""
    url = response.headers.get("location", "")
    harmless = client.redactor.sanitize_untrusted(url, _MAX_URL) == url
    return url if harmless and client.is_own(url) else ""


def _what(operation: Operation) -> str:
    return f"the deletion of the resource group {operation.group}"
