"""Facts from this machine's files, read while the steps run; a check never waits for them."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from stacktui.azure_cli.presence import az_facts, is_worth_a_look
from stacktui.check.open_files import OpenFile, open_files
from stacktui.check.pinning import config_of
from stacktui.check.target import CheckTarget
from stacktui.config.locations import additions_file
from stacktui.environments.profiles import PROFILES
from stacktui.environments.record import (
    RecordError,
    RecordFault,
    StampRecord,
    is_remembered,
    read_record,
)
from stacktui.transport.background import in_background

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts
    from stacktui.certificates.additions import LostAddition

R = TypeVar("R")
# Seconds after the steps have ended: a file on a dead network share must not delay the verdict.
_PATIENCE = 2.0
# Seconds by which the first request has been sent: work before that would delay it.
_FIRST = 0.01


async def wait_briefly(task: asyncio.Task[R]) -> R | None:
    """Return the task's result, waiting at most 2 s; None where it has none by then."""
    if not task.done():
        await asyncio.wait({task}, timeout=_PATIENCE)
    return task.result() if task.done() else None


async def lost_additions() -> tuple[LostAddition, ...]:
    """Return the additions to other programs' trust stores that are not there any more."""
    await asyncio.sleep(_FIRST)
    # Most machines have no such file, and a thread would cost more than finding that out.
    if not _remembers_additions():
        return ()
    from stacktui.certificates import additions

    return await asyncio.to_thread(additions.lost_additions)


def _remembers_additions() -> bool:
    # Unlike Path.exists, False for a folder that may not be searched.
    return os.path.exists(additions_file())


async def recorded_stamp(target: CheckTarget) -> StampRecord | RecordFault | None:
    """Return the record of the target's stamp, or why it cannot be read."""
    # Without a thread, which would cost more than reading this small file.
    await asyncio.sleep(_FIRST)
    if not is_remembered():
        return None
    try:
        return read_record(config_of(target), target.environment)
    except RecordError as error:
        return error.fault


async def find_az() -> AzFacts | None:
    """Return what is known of the Azure CLI on this machine; None where it is not there."""
    # As above: where there is no az, a thread would cost more than finding that out.
    await asyncio.sleep(_FIRST)
    return await in_background(partial(az_facts, PROFILES)) if is_worth_a_look() else None


async def find_open_files(target: CheckTarget) -> tuple[OpenFile, ...]:
    """Return the files of the target that others may read or change."""
    await asyncio.sleep(_FIRST)
    return await in_background(partial(open_files, config_of(target), target.identity))
