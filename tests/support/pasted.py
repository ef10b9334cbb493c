"""Run remedies as a user does: pasted into bash as printed, with `stacktui` on PATH."""

from __future__ import annotations

import multiprocessing
import os
import pty
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

from stacktui.cli.main import main
from tests.product import stacktui

# Seconds: longer than a check may take, short enough to notice a command that hangs.
PATIENCE = 60
_CTRL_C = "\x03"


@dataclass(frozen=True, slots=True)
class Shell:
    """A bash whose `stacktui` is the one under test; `folder` is its working directory."""

    folder: Path

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        program = programs / "stacktui"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m stacktui "$@"\n')
        program.chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        # Make the checkout importable from any folder.
        paths = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
        return dict(os.environ) | {"PATH": path, "PYTHONPATH": paths, **variables}

    def run(
        self,
        command: str,
        *,
        typed: str = "",
        seconds: float = PATIENCE,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` with `typed` as its input."""
        return subprocess.run(
            ["bash", "-c", command],
            env=self.environment(variables or {}),
            cwd=self.folder,
            input=typed,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )

    def check_after(
        self, *commands: str, config: Path, typed: str = "", **variables: str
    ) -> dict[str, Any]:
        """Run `commands`, then a check with the variables that they set; return the document."""
        done = self.run(self._script(commands), typed=typed, variables=variables)
        assert done.returncode == 0, (done, commands)
        return self._check(config)

    def check_after_dialogue(
        self, *commands: str, config: Path, replies: Iterable[tuple[str, str]], **variables: str
    ) -> dict[str, Any]:
        """The same on a terminal: each reply is typed once its prompt is on the screen."""
        script = self._script(commands)
        code, screen = on_terminal(["bash", "-c", script], replies, self.environment(variables))
        assert code == 0, screen
        return self._check(config)

    @property
    def _left(self) -> Path:
        return self.folder / "variables"

    def _script(self, commands: Iterable[str]) -> str:
        """Require every command to succeed, and save the shell's environment afterwards."""
        pasted = [f"{command}\n[ $? = 0 ] || exit 1" for command in commands]
        return "\n".join([*pasted, f"env -0 > {shlex.quote(str(self._left))}"])

    def _check(self, config: Path) -> dict[str, Any]:
        left = os.fsdecode(self._left.read_bytes()).split("\0")
        variables = dict(each.split("=", 1) for each in left if each)
        with mock.patch.dict(os.environ, variables, clear=True):
            ran = stacktui("check", "--config", config, "--format", "json")
        assert ran.code in (0, 1), ran
        return ran.document


_SERVER = multiprocessing.get_context("forkserver")
# Its children run the main module again, which is often pytest's.
_SERVER.set_forkserver_preload(["pytest", "tests.cli.killed", __name__])


class _Forked:
    """`stacktui` in a process of its own, of an interpreter that has imported it already: to start
    one takes most of such a test's time."""

    def __init__(self, words: list[str], terminal: str, environment: Mapping[str, str]) -> None:
        opened, tell = _SERVER.Pipe(duplex=False)
        given = (words, terminal, dict(environment), os.getcwd(), tell)
        self._process = _SERVER.Process(target=_run_on, args=given)
        self._process.start()
        tell.close()
        with opened:
            # A terminal that nobody has open has ended.
            assert opened.recv()

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it has not ended"
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


def _run_on(
    words: list[str], terminal: str, environment: dict[str, str], folder: str, tell: Connection
) -> None:
    os.setsid()
    opened = os.open(terminal, os.O_RDWR)  # which makes it this session's
    for stream in range(3):
        os.dup2(opened, stream)
    os.close(opened)
    tell.send(True)
    tell.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    time.tzset()
    with open(0) as sys.stdin, open(1, "w") as sys.stdout, open(2, "w") as sys.stderr:
        sys.argv = ["stacktui", *words]
        try:
            main()
        except SystemExit as error:
            sys.stdout.flush()
            os._exit(int(error.code or 0))


def on_terminal(
    command: list[str], replies: Iterable[tuple[str, str]], environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run `command` on its own terminal; return its exit code and output."""
    ours, theirs = pty.openpty()
    # Programs that prompt for a password open /dev/tty, which must be this terminal.
    process: subprocess.Popen[bytes] | _Forked
    waiting, screen, seen = list(replies), "", 0
    # One that is to be interrupted is started as a user's is.
    interrupted = any(_CTRL_C in reply for _, reply in waiting)
    if command[:3] == [sys.executable, "-m", "stacktui"] and not interrupted:
        process = _Forked(command[3:], os.ttyname(theirs), environment)
    else:
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command],
            stdin=theirs, stdout=theirs, stderr=theirs, env=dict(environment),
        )  # fmt: skip
    os.close(theirs)
    deadline = time.monotonic() + PATIENCE
    try:
        while piece := _piece(ours, deadline):
            screen += piece.decode(errors="replace")
            if waiting and waiting[0][0] in screen[seen:]:
                seen = len(screen)
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
        assert not waiting, (waiting, screen)
        return process.wait(PATIENCE), screen
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _piece(terminal: int, deadline: float) -> bytes:
    """Return the next output, empty at the end; TimeoutError when the command hangs."""
    if not select.select([terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
        raise TimeoutError("the command waits for input that is not typed")
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: nobody has the other end open any more
        return b""
