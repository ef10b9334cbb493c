"""Runs a program in a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType

PATIENCE = 30.0


@dataclass
class Terminal:
    """Runs `command` on a pty of `width` x `height`; `written` has everything it has written."""

    command: Sequence[str]
    environ: Mapping[str, str]
    width: int = 120
    height: int = 40
    written: bytes = b""
    code: int | None = None
    pid: int = 0
    fd: int = -1
    before: list[object] = field(default_factory=list)

    def __enter__(self) -> Terminal:
        self.fd, self._side = pty.openpty()
        self.resize(self.width, self.height)
        self.before = termios.tcgetattr(self._side)
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self._side)
            os.execve(self.command[0], list(self.command), dict(self.environ))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.code is None:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        for each in (self.fd, self._side):
            if each >= 0:
                os.close(each)

    def resize(self, width: int, height: int) -> None:
        """Set the size; the program is told, and writes the whole screen again."""
        size = struct.pack("HHHH", height, width, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def read(self, seconds: float) -> bytes:
        """Read for `seconds`, and return what was written."""
        end, before = monotonic() + seconds, len(self.written)
        while (left := end - monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self.written += os.read(self.fd, 65536)
        return self.written[before:]

    def until(self, text: str) -> float:
        """Read until `text` is written, and return the seconds that took."""
        start, begun = len(self.written), monotonic()
        while text.encode() not in self.written[start:]:
            if monotonic() - begun > PATIENCE:
                raise AssertionError(f"{text!r} was not written")
            self.read(0.005)
        return monotonic() - begun

    def rest(self, seconds: float = 1.0) -> None:
        """Read until nothing is written for `seconds`."""
        begun = monotonic()
        while self.read(seconds):
            if monotonic() - begun > PATIENCE:
                raise AssertionError("it does not come to rest")

    def press(self, keys: str | bytes) -> None:
        os.write(self.fd, keys.encode() if isinstance(keys, str) else keys)

    def hang_up(self) -> None:
        """Take the terminal away, as a lost connection does."""
        os.close(self._side)
        os.close(self.fd)
        self.fd = self._side = -1

    def answer(self, keys: str) -> int:
        """Press keys, read until the output stops, and return the number of bytes."""
        before, begun = len(self.written), monotonic()
        self.press(keys)
        while len(self.written) == before:
            if monotonic() - begun > PATIENCE:
                raise AssertionError(f"nothing answers to {keys!r}")
            self.read(0.005)
        self.rest(0.15)
        return len(self.written) - before

    def wait(self) -> tuple[int, float]:
        """Wait for the exit, and return the exit code and the seconds that took."""
        begun = monotonic()
        while monotonic() - begun < PATIENCE:
            if self.fd >= 0:
                self.read(0.01)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                if self.fd >= 0:
                    self.read(0.05)
                return self.code, monotonic() - begun
        raise AssertionError("it does not end")

    def modes(self) -> list[object]:
        """Return the current line settings of the terminal."""
        return termios.tcgetattr(self._side)

    def peak_memory(self) -> int:
        """Return the program's peak resident memory in KiB."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            peak = next(line for line in status if line.startswith("VmHWM"))
        return int(peak.split()[1])
