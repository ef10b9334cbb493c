"""Remedies as a user runs them: pasted into bash as they are printed, with `stacktui` at hand."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Seconds: longer than a check may take, short enough to notice a command that waits for ever.
PATIENCE = 60
# How a shell ends in which the remedy itself failed: no program of ours or theirs ends so.
REMEDY_FAILED = 97


@dataclass(frozen=True, slots=True)
class Shell:
    """A bash of the test's own: its `stacktui` is the one under test, `folder` its work folder."""

    folder: Path

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        program = programs / "stacktui"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m stacktui "$@"\n')
        program.chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        # The checkout is importable from any folder.
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
        """Run `command` to its end, with `typed` as its input."""
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
        """Paste `commands`, then run the check in the same shell; the check's document."""
        script, document = self._script(commands, config)
        done = self.run(script, typed=typed, variables=variables)
        assert done.returncode in (0, 1), (done, commands)
        return _read(document)

    def check_after_dialogue(
        self, *commands: str, config: Path, replies: Iterable[tuple[str, str]], **variables: str
    ) -> dict[str, Any]:
        """The same on a terminal: each reply is typed once its prompt has been shown."""
        script, document = self._script(commands, config)
        code, screen = on_terminal(["bash", "-c", script], replies, self.environment(variables))
        assert code in (0, 1), screen
        return _read(document)

    def _script(self, commands: Iterable[str], config: Path) -> tuple[str, Path]:
        document = self.folder / "check.json"
        document.unlink(missing_ok=True)
        pasted = [f"{command}\n[ $? = 0 ] || exit {REMEDY_FAILED}" for command in commands]
        check = f"stacktui check --config {shlex.quote(str(config))} --format json"
        return "\n".join([*pasted, f"{check} > {shlex.quote(str(document))}"]), document


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def on_terminal(
    command: list[str], replies: Iterable[tuple[str, str]], environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run `command` on a terminal of its own; its exit code and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # Programs that ask for a password open /dev/tty: it must be this one.
        ["setsid", "--ctty", "--wait", *command],
        stdin=theirs, stdout=theirs, stderr=theirs, env=dict(environment),
    )  # fmt: skip
    os.close(theirs)
    waiting, screen, seen = list(replies), "", 0
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
    """What is shown next; nothing at the end. TimeoutError where a command waits for ever."""
    if not select.select([terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
        raise TimeoutError("the command waits for something that nobody types")
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that nobody has the other end open any more
        return b""
