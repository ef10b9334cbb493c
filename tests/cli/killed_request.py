"""`stacktui` in a process that is killed while it waits for the answer to a request."""

from __future__ import annotations

import time

from stacktui.stamp.running import RunningStamp
from tests.cli.killed import ended, started


def killed_at(stamp: RunningStamp, fault: str, *words: str) -> int:
    """Kill a command at the request that a fault leaves without an answer; return how it ended."""
    stamp.fault_at(fault)
    before = len(stamp.requests)
    process = started(*words)
    while process.is_alive() and not hangs(stamp, before):
        time.sleep(0.01)
    process.kill()
    stamp.fault_at()
    return ended(process)


def hangs(stamp: RunningStamp, before: int) -> bool:
    """Whether nothing has been asked for a while."""
    seen = len(stamp.requests)
    if seen == before:
        return False
    time.sleep(0.4)
    return len(stamp.requests) == seen
