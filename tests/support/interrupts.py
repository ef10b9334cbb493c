"""Ctrl+C in a process, and the time that it takes to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Seconds from the signal to the end of the process, interpreter shutdown included. The goal is
# 0.2 s, measured are 0.05 to 0.15 s: a process that needs more than this waits for something.
AT_ONCE = 1.0


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, and kill it at the end of the context."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process: subprocess.Popen[bytes]) -> float:
    """Interrupt a waiting process, which must exit with 130 at once; return the seconds it took,
    less those in which it was ready to run and other processes had the cores."""
    assert process.poll() is None, process.communicate()
    begun = time.perf_counter() - _kept_from_running(process.pid)
    process.send_signal(signal.SIGINT)
    if sys.platform == "linux":
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait(30)
    took = time.perf_counter() - begun - _kept_from_running(process.pid)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")
    assert took < AT_ONCE
    return took


def _kept_from_running(pid: int) -> float:
    """Return the seconds that a process's main thread waited for a core; 0 if nothing tells."""
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0
