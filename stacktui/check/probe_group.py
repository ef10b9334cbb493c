"""Deleting the group of a write probe, to an end that was seen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from stacktui.check.write_probe import ProbeState
from stacktui.errors import FaultError
from stacktui.resources.client import ArmClient
from stacktui.resources.group_changes import find_group
from stacktui.resources.model import ArmError, ArmProblem
from stacktui.transport.records import TransportError

# How often a deletion is asked for that nobody refused, and how often a look is tried.
_TRIES = 3
# Seconds between two looks, and before a failed one is tried again.
PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of a group; `error` is what kept it from being deleted, if that is known."""

    state: ProbeState
    error: FaultError[Any] | None = None


async def remove_group(client: ArmClient, path: str, what: str, longest: float) -> Removal:
    """Delete a group, and wait at most `longest` seconds for its end.

    Each request is followed by a look at the group, which alone says what became of it.
    """
    clock = asyncio.get_running_loop().time
    ends = clock() + longest
    found = Removal(ProbeState.UNKNOWN)
    for _ in range(_TRIES):
        error: FaultError[Any] | None = None
        try:
            response = await client.request("DELETE", path, what=what)
            await client.poll(response, what=what, longest=max(ends - clock(), 0.0))
        except (ArmError, TransportError) as raised:
            error = raised
        found = await look(client, path, ends)
        if found.state is not ProbeState.LEFT:
            return found if found.error or error is None else Removal(found.state, error)
        found = Removal(found.state, error)
        if _is_refused(error) or clock() > ends:
            break
        await asyncio.sleep(PAUSE)
    return found


async def look(client: ArmClient, path: str, ends: float) -> Removal:
    """Return what is there; while it is being deleted, look again until the loop's time `ends`."""
    clock, failed = asyncio.get_running_loop().time, 0
    while True:
        try:
            found = await find_group(client, path)
        except (ArmError, TransportError) as error:
            failed += 1
            if failed == _TRIES or _is_refused(error):
                return Removal(ProbeState.UNKNOWN, error)
        else:
            if found is None:
                return Removal(ProbeState.DELETED)
            if not found[0].is_deleting:
                return Removal(ProbeState.LEFT)
            if clock() + PAUSE > ends:
                return Removal(ProbeState.DELETING)
        await asyncio.sleep(PAUSE)


def _is_refused(error: FaultError[Any] | None) -> bool:
    """Return whether ARM says no: to ask again would bring the same."""
    if not isinstance(error, ArmError):
        return False
    fault = error.fault
    return fault.problem is ArmProblem.REFUSED and error.refused and fault.status != 429
