"""Textual's driver for POSIX terminals, for bytes of any kind and for terminals that go away.

Textual 8 decodes its input strictly, so that a paste in Latin-1 ends it, and neither of its
threads survives a terminal that is gone.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, cast

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

if TYPE_CHECKING:
    from stacktui.tui.app_services import AppServices

assert sys.platform != "win32"  # noqa: S101  tells type checkers what the app makes sure of

_CHUNK = 4096
# Seconds between two checks of whether to stop.
_TICK = 0.1


class _Output:
    """A terminal's file, on which writing does nothing once the terminal is gone."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


class TerminalDriver(LinuxDriver):
    """Replaces what is no UTF-8 by U+FFFD, and ends the app when the terminal hangs up."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self._file is not None:
            self._file = cast("Any", _Output(self._file))

    def run_input_thread(self) -> None:
        self._parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK):
                    data = self._read()
                    if not data:
                        self._hang_up()
                        break
                    self._parse(decode(data))
                self._send(self._parser.tick())
        with suppress(EOFError, ParseError):
            self._send(self._parser.feed(""))

    def _parse(self, text: str) -> None:
        try:
            self._send(self._parser.feed(text))
        except Exception:  # of a sequence with absurd numbers; a parser that failed has no end
            self._parser = XTermParser(self._debug)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:  # EIO: the terminal is gone
            return b""

    def _send(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def _hang_up(self) -> None:
        services = cast("AppServices", self._app)
        self._app.call_later(services.end, signal.SIGHUP)
