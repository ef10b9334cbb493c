"""Processes of the product that need not import it anew: each is forked from one that has.

A process like any other in all that a test can see: its own memory, files, signals, output and
exit code. Only what the product does while it is imported is done once; the tests of that
(`tests/cli/test_imports.py`), of terminals, of signals and of kills start from nothing.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

# What a check imports sooner or later.
_PRODUCT = (
    "stacktui.cli.check",
    "stacktui.cli.text",
    "stacktui.cli.certificates.show",
    "stacktui.cli.certificates.trust",
    "stacktui.check.pipeline",
    "stacktui.check.aftermath",
    "stacktui.certificates.completion",
    "stacktui.diagnosis.catalogue",
    "stacktui.diagnosis.document",
    "stacktui.diagnosis.rules.beside",
    "stacktui.identities.credential",
    "msal",
    "certifi",
    "platformdirs",
)


class OutOfTimeError(Exception):
    """A process did not end in time, and was ended."""


def run(
    arguments: Sequence[str], environment: Mapping[str, str], patience: float
) -> tuple[int, str, str]:
    """Run `stacktui` with these arguments; its exit code, stdout and stderr. For POSIX.

    Raises OutOfTimeError.
    """
    with (
        _Pipe() as out,
        _Pipe() as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked,
    ):
        asked.connect(str(_nursery()))
        asked.settimeout(patience)
        order = json.dumps([list(arguments), dict(environment), os.getcwd()]).encode()
        head = len(order).to_bytes(4, "big")
        socket.send_fds(asked, [head], [out.writing, err.writing])
        asked.sendall(order)
        child = int(_line(asked))
        try:
            code = int(_line(asked))
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            raise OutOfTimeError(f"stacktui {' '.join(arguments)}") from None
    return code, out.held.decode(), err.held.decode()


class _Pipe:
    """A pipe that is read while it is written to; `held` is what came, once it is left."""

    def __init__(self) -> None:
        self.held = b""
        self._reading, self.writing = os.pipe()
        self._reader = threading.Thread(target=self._read)

    def _read(self) -> None:
        with open(self._reading, "rb") as reading:
            self.held = reading.read()

    def __enter__(self) -> _Pipe:
        self._reader.start()
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self.writing)
        self._reader.join()


def _line(asked: socket.socket) -> str:
    line = b""
    while not line.endswith(b"\n"):
        piece = asked.recv(1)
        if not piece:
            raise EOFError("the nursery has ended")
        line += piece
    return line.decode()


@cache
def _nursery() -> Path:
    """The socket of this process's nursery, which ends with it."""
    folder = tempfile.TemporaryDirectory(prefix="stacktui-nursery-")
    place = Path(folder.name, "socket")
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def end() -> None:
        process.stdin.close()
        process.wait()
        process.stdout.close()
        folder.cleanup()

    atexit.register(end)
    assert process.stdout.readline() == b"ready\n"
    return place


def _serve(place: str) -> None:
    """Fork one process a connection, until stdin ends with whoever started this."""
    import select
    from importlib import import_module

    for name in _PRODUCT:
        import_module(name)
    gc.freeze()  # so that a look for garbage leaves shared what is shared
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(place)
        listening.listen(16)
        print("ready", flush=True)
        waiting: set[int] = set()
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [], 0.5)
            for child in tuple(waiting):
                if os.waitpid(child, os.WNOHANG)[0]:
                    waiting.discard(child)
            if sys.stdin in ready:
                return
            if listening in ready:
                asked, _ = listening.accept()
                if (child := os.fork()) == 0:
                    listening.close()
                    _look_after(asked)
                asked.close()
                waiting.add(child)


def _look_after(asked: socket.socket) -> None:
    """Fork the process itself, and tell how it ends. Does not return, except in that process."""
    head, fds, _, _ = socket.recv_fds(asked, 4, 2)
    length, order = int.from_bytes(head, "big"), b""
    while len(order) < length:
        order += asked.recv(length - len(order))
    arguments, environment, folder = json.loads(order)
    if child := os.fork():
        asked.sendall(f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    asked.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, fd in enumerate((nothing, *fds)):
        os.dup2(fd, number)
        os.close(fd)
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    # As the interpreter opens them; they live as long as it does.
    sys.stdin = open(0, encoding=encoding, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding=encoding, errors="backslashreplace", buffering=1, closefd=False
    )
    sys.argv = ["stacktui", *arguments]
    from stacktui.cli.main import main

    code: object = 0
    try:
        main()
    except SystemExit as left:
        code = left.code
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking the interpreter apart would take as long as a check.
    os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    _serve(sys.argv[1])
