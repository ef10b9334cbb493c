"""Ctrl+C in a process, and the time that it takes to end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

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
    """Interrupt a waiting process, which must exit with 130 at once; return the seconds it took."""
    assert process.poll() is None, process.communicate()
    begun = time.perf_counter()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    took = time.perf_counter() - begun
    assert (process.returncode, out, err.strip()) == (130, b"", b"")
    assert took < AT_ONCE
    return took
