"""The user's editor, run while the app is suspended."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which
from typing import Any

from textual.app import App, SuspendNotSupported

from stacktui.config.child_environment import child_environment
from stacktui.errors import StacktuiError
from stacktui.transport.background import in_background

_USUAL = ("notepad",) if sys.platform == "win32" else ("vi", "nano")
# The editors that open a file at a line with `+N`.
_WITH_LINE = frozenset(
    ("vi", "vim", "nvim", "view", "nano", "pico", "emacs", "emacsclient", "micro", "kak", "joe",
     "jed", "mg", "ne")
)  # fmt: skip


class EditorError(StacktuiError):
    """No editor can be run; `str()` says why, and what to set."""


def editor_command(environ: Mapping[str, str], path: Path, line: int | None) -> list[str]:
    """Return the command that opens `path`, at `line` where the editor can. Raises EditorError."""
    words: list[str] = []
    for variable in ("VISUAL", "EDITOR"):
        try:
            words = words or shlex.split(environ.get(variable, ""))
        except ValueError:
            raise EditorError(f"${variable} has a quote that does not end") from None
        if words and which(words[0]) is None:
            raise EditorError(f"${variable}: there is no program {words[0]!r}")
    if not words:
        words = [each for each in _USUAL if which(each)][:1]
    if not words:
        raise EditorError(f"no editor: set $EDITOR; this machine has no {' or '.join(_USUAL)}")
    place = [f"+{line}"] if line and Path(words[0]).name in _WITH_LINE else []
    return [*words, *place, os.path.abspath(path)]


async def run_suspended(app: App[Any], command: Sequence[str]) -> int:
    """Run `command` on the terminal, with the app suspended; return its exit code.

    Checks continue meanwhile, and nothing is painted. Raises OSError, SuspendNotSupported.
    """
    loop = asyncio.get_running_loop()
    with app.batch_update(), app.suspend():
        if sys.platform != "win32":  # Ctrl+C is the editor's, which has its own handler
            loop.add_signal_handler(signal.SIGINT, lambda: None)
        try:
            return await in_background(
                lambda: subprocess.run(command, env=child_environment(), check=False).returncode  # noqa: S603  the user's editor
            )
        finally:
            if sys.platform != "win32":
                loop.remove_signal_handler(signal.SIGINT)


async def edit(app: App[Any], path: Path, line: int | None) -> str:
    """Open `path` in the user's editor; return why it could not be edited, empty if it was."""
    try:
        command = editor_command(os.environ, path, line)
        code = await run_suspended(app, command)
    except (EditorError, OSError, SuspendNotSupported) as error:
        return str(error)
    return f"{command[0]} ended with exit code {code}" if code else ""
