"""A program that runs `stacktui` and kills itself at the Nth step that touches a file.

Reads lines of `N` from stdin; for each it forks, runs the arguments it was started with in the
child, and writes how that ended: `killed`, or the exit code. N = 0 never kills. A step is a call
that changes something in the file system, before it and after it, and each eighth of a write.
"""

from __future__ import annotations

import fcntl
import io
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

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


def main() -> None:
    sys.argv = ["stacktui", *sys.argv[1:]]
    stacktui = import_module("stacktui.cli.main")
    # What the command imports, now and once: only its work is to be cut short.
    for name in ("trust", "untrust"):
        import_module(f"stacktui.cli.certificates.{name}")
    for module in ("stacktui.certificates.document", "tomlkit"):
        import_module(module)
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            # The talk and the results are not what is asked for here.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            Steps(int(line)).install()
            try:
                stacktui.main()
            except SystemExit as error:
                os._exit(int(error.code or 0))
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
