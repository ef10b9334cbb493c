"""The state of background work: a check, or a scan of the hosts' certificates."""

from __future__ import annotations

from enum import StrEnum


class CheckState(StrEnum):
    """BROKEN means an internal error, not a fault that the check found."""

    RUNNING = "running"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    BROKEN = "broken"
