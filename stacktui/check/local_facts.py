"""Facts from this machine's files, read while the steps run; a check hardly waits for them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stacktui.azure_cli.presence import az_facts, installed
from stacktui.check.open_files import OpenFile, open_files
from stacktui.check.pinning import FIRST_REQUEST
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.locations import additions_file
from stacktui.environments.profiles import PROFILES
from stacktui.transport.background import in_background

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts
    from stacktui.certificates.additions import LostAddition

# Seconds after the steps have ended: a file on a dead network share must not delay the verdict.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class LocalFacts:
    """`lost` are additions to other programs' trust stores that are not there any more; `az` is
    what is known of the Azure CLI, None where it is not there; `open_files` are those of the
    target that others on this machine may read or change."""

    lost: tuple[LostAddition, ...]
    az: AzFacts | None
    open_files: tuple[OpenFile, ...]


class LocalFactsReader:
    """Reads them from when it is made."""

    def __init__(self, target: CheckTarget) -> None:
        self._lost = asyncio.create_task(_lost_additions())
        self._az = asyncio.create_task(_find_az())
        self._open = asyncio.create_task(_open_files(target))

    async def collect(self) -> LocalFacts:
        """Return them; what is not known within 2 s is left out."""
        lost = await self._lost
        late = {task for task in (self._az, self._open) if not task.done()}
        if late:
            await asyncio.wait(late, timeout=_PATIENCE)
        az = self._az.result() if self._az.done() else None
        return LocalFacts(lost, az, self._open.result() if self._open.done() else ())

    async def aclose(self) -> None:
        """Cancel what is not done."""
        tasks = (self._lost, self._az, self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _lost_additions() -> tuple[LostAddition, ...]:
    await asyncio.sleep(FIRST_REQUEST)
    # Most machines have no such file, and a thread would cost more than finding that out.
    if not _remembers_additions():
        return ()
    from stacktui.certificates import additions

    return await asyncio.to_thread(additions.lost_additions)


def _remembers_additions() -> bool:
    # Unlike Path.exists, False for a folder that may not be searched.
    return os.path.exists(additions_file())


async def _find_az() -> AzFacts | None:
    # As above: where there is no az, a thread would cost more than finding that out.
    await asyncio.sleep(FIRST_REQUEST)
    if (found := installed()) is None:
        return None
    return await in_background(partial(az_facts, PROFILES, found))


async def _open_files(target: CheckTarget) -> tuple[OpenFile, ...]:
    await asyncio.sleep(FIRST_REQUEST)
    return await in_background(partial(open_files, config_of(target), target.identity))
