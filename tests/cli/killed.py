"""`stacktui` in a process that kills itself at the Nth step that touches a file.

A step is a call that changes something in the file system, before it and after it, and each
eighth of a write.
"""

from __future__ import annotations

import fcntl
import io
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from typing import Any

# What the commands import, once in the server: only their work is to be cut short.
import platformdirs.unix  # noqa: F401
import tomlkit  # noqa: F401

import stacktui.certificates.document
import stacktui.cli.certificates.trust
import stacktui.cli.certificates.untrust  # noqa: F401
from stacktui.cli.main import main

KILLED = -signal.SIGKILL
_SERVER = multiprocessing.get_context("forkserver")
# Its children run the main module again, which is often pytest's.
_SERVER.set_forkserver_preload(["pytest", __name__])
_CALLS = ("open", "fsync", "replace", "rename", "chmod", "chown", "unlink", "mkdir", "close")


class Steps:
    """Counts, and kills this process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **options: Any) -> Any:
            self.step()
            result = call(*arguments, **options)
            self.step()
            return result

        return stepping

    def install(self) -> None:
        for name in _CALLS:
            setattr(os, name, self.around(getattr(os, name)))
        fcntl.flock = self.around(fcntl.flock)
        steps = self

        class InPieces(io.FileIO):
            """A file whose content reaches the disk an eighth at a time."""

            def write(self, content: Any) -> int:
                view = memoryview(content)
                size = max(1, len(view) // 8)
                for start in range(0, len(view), size):
                    steps.step()
                    super().write(view[start : start + size])
                return len(view)

        os.fdopen = lambda descriptor, mode: InPieces(descriptor, mode)


def started(*arguments: str, kill_at: int = 0) -> ForkServerProcess:
    """A process that runs these arguments of `stacktui`, up to a step; to the end for 0."""
    process = _SERVER.Process(target=_run, args=(arguments, dict(os.environ), kill_at))
    process.start()
    return process


def ended(process: ForkServerProcess) -> int:
    """How it ended: its exit code, or `KILLED`."""
    process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def _run(arguments: tuple[str, ...], environment: dict[str, str], kill_at: int) -> None:
    os.environ.clear()
    os.environ.update(environment)
    # The talk and the results are not what is asked for here.
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    sys.argv = ["stacktui", *arguments]
    Steps(kill_at).install()
    try:
        main()
    except SystemExit as error:
        os._exit(int(error.code or 0))
