"""What is looked at beside the steps: files of this box, which a check must not wait for."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from stacktui.azure_cli.presence import az_facts, is_worth_a_look
from stacktui.check.accepting import config_of
from stacktui.check.target import Target
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
# Seconds, once the steps have ended: a file on a dead network share must not keep the verdict.
_PATIENCE = 2.0
# Seconds until the first request is on its way: before, every look would keep it waiting.
_FIRST = 0.01


async def soon(task: asyncio.Task[R]) -> R | None:
    """What a task found that had the whole check's time for it; None where it still has not."""
    if not task.done():
        await asyncio.wait({task}, timeout=_PATIENCE)
    return task.result() if task.done() else None


async def lost_additions() -> tuple[LostAddition, ...]:
    await asyncio.sleep(_FIRST)
    # Nearly always there is nothing to remember, and a thread would cost more than this look.
    if not _remembers_additions():
        return ()
    from stacktui.certificates import additions

    return await asyncio.to_thread(additions.lost_additions)


def _remembers_additions() -> bool:
    # Unlike Path.exists, this takes a folder that may not be searched for one without the file.
    return os.path.exists(additions_file())


async def known_of(target: Target) -> StampRecord | RecordFault | None:
    # Without a thread, as the config was read: it would cost more than this small file.
    await asyncio.sleep(_FIRST)
    if not is_remembered():
        return None
    try:
        return read_record(config_of(target), target.environment)
    except RecordError as error:
        return error.fault


async def az_beside() -> AzFacts | None:
    # As above: where there is no az, a thread would cost more than this look.
    await asyncio.sleep(_FIRST)
    return await in_background(partial(az_facts, PROFILES)) if is_worth_a_look() else None
