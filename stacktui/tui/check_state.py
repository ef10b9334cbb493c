"""Where work is that the screen follows: a check, or a look at the certificates."""

from __future__ import annotations

from enum import StrEnum


class CheckState(StrEnum):
    """Where a check is. BROKEN is our own defect, not a fault that was found."""

    RUNNING = "running"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    BROKEN = "broken"
