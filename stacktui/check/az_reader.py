"""Reads what is known of `az` on this machine, once for all the checks of a round."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from stacktui.azure_cli.presence import az_facts, installed
from stacktui.check.pinning import FIRST_REQUEST
from stacktui.environments.profiles import PROFILES
from stacktui.transport.background import in_background

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts


class AzReader:
    """The facts of `az`, None where it is not there: read at the first call, and then the same."""

    def __init__(self) -> None:
        self._task: asyncio.Task[AzFacts | None] | None = None

    async def read(self) -> AzFacts | None:
        """Return them. Who waits may be cancelled, the others have them all the same."""
        if self._task is None:
            self._task = asyncio.create_task(_find_az())
        return await asyncio.shield(self._task)

    async def aclose(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task


async def _find_az() -> AzFacts | None:
    # Where there is no az, a thread would cost more than finding that out.
    await asyncio.sleep(FIRST_REQUEST)
    if (found := installed()) is None:
        return None
    return await in_background(partial(az_facts, PROFILES, found))
