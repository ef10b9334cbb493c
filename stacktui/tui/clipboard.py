"""Getting text off the screen: into tmux's buffer, to the terminal's clipboard, or into a file.

OSC 52 has no answer, so nobody knows whether a terminal takes it: what is said is what was done.
Stock tmux (`set-clipboard external`) ignores OSC 52 from programs inside it, so there the text
goes into tmux's own buffer, and with `-w` from there to the outer terminal.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App

from stacktui.config.child_environment import child_environment
from stacktui.transport.background import in_background
from stacktui.tui.lines import TextStyle

IN_TMUX = "in tmux's buffer: prefix ]"
SENT = "sent to the terminal (OSC 52)"
# Seconds that tmux may take.
_TIMEOUT = 2.0


Notice = Callable[[str, TextStyle], None]


class Copier:
    """Copies text, and writes what was copied last (`text`) to a file if asked to."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self.text = ""

    def copy(self, text: str, what: str, notice: Notice, *, secret: bool = False) -> None:
        """Copy `text`, and give notice of where it went; `what` names it in a few words.

        A `secret` is not kept, so it can be neither written to a file nor pasted here.
        """
        self.text = "" if secret else text
        work = self._copy(text, what, notice, secret=secret)
        self._app.run_worker(work, group="copy", exit_on_error=False)

    async def _copy(self, text: str, what: str, notice: Notice, *, secret: bool) -> None:
        in_tmux = bool(os.environ.get("TMUX")) and await in_background(lambda: _into_tmux(text))
        if not in_tmux:
            self._app.copy_to_clipboard(text)
        if secret:
            self._app._clipboard = ""  # Textual's own, which a field would paste
        writes = "" if secret else "; w writes a file"
        notice(f"{IN_TMUX if in_tmux else SENT}{writes}: {what}", TextStyle.OK)

    async def write(self, notice: Notice) -> None:
        """Write the text to a new file that only the user may read."""
        try:
            path = await in_background(lambda: write_to_file(self.text))
        except OSError as error:
            notice(f"not written: {error.strerror or type(error).__name__}", TextStyle.ERROR)
        else:
            notice(f"written to {path}", TextStyle.OK)


def _into_tmux(text: str) -> bool:
    # -w, for the outer terminal's clipboard, is known from tmux 3.2 on.
    return any(_ran(["tmux", "load-buffer", *flags, "-"], text) for flags in (["-w"], []))


def _ran(command: list[str], text: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  tmux, as the user has it
            command,
            input=text.encode(errors="replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            env=child_environment(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def write_to_file(text: str) -> Path:
    """Write `text` to a new file that only the user may read (0600). Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix="stacktui-", suffix=".txt")
    with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")
    return Path(name)
