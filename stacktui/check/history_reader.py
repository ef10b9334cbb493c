"""What was found before, read while the checks run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from stacktui.check.pinning import FIRST_REQUEST
from stacktui.check.target import CheckTarget
from stacktui.transport.background import in_background

if TYPE_CHECKING:
    from stacktui.check.streak import Recalled, Since
    from stacktui.check.summary import CheckSummary

# Seconds to wait for it when the first check has ended; the next ones have waited long enough.
_PATIENCE = 0.5


class HistoryReader:
    """Reads what is known of the targets' environments, from when it is made."""

    def __init__(self, targets: Sequence[CheckTarget]) -> None:
        self._reading = asyncio.create_task(_recalled(targets))
        self._patience = _PATIENCE

    async def since(self, summary: CheckSummary) -> Since | None:
        """Return since when a finished check's outcome is so; None where that is not known."""
        from stacktui.check.streak import since_of, with_check

        patience, self._patience = self._patience, 0.0
        await asyncio.wait({self._reading}, timeout=patience)
        if not self._reading.done() or self._reading.exception() is not None:
            return None
        recalled = self._reading.result().get(summary.environment)
        return since_of(with_check(recalled.streaks, summary)) if recalled is not None else None


async def _recalled(targets: Sequence[CheckTarget]) -> dict[str, Recalled]:
    await asyncio.sleep(FIRST_REQUEST)
    return await in_background(partial(_recall, targets))


def _recall(targets: Sequence[CheckTarget]) -> dict[str, Recalled]:
    from stacktui.check.history import recall

    return recall(targets)
