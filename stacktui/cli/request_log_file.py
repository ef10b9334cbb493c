"""`--log-requests FILE`: the requests of a command, as the lines that repeat them.

The user names the file for this one run, so it is written in read-only mode too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from stacktui import __version__
from stacktui.cli.output import warn
from stacktui.config.atomic import PRIVATE, refuse_dangling_link
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.shell import for_this_machine
from stacktui.transport.records import Exchange
from stacktui.transport.request_commands import BODY, TOKEN_LINES, ca_note, command_lines
from stacktui.transport.request_log import logging_requests

# A FIFO that nobody reads must not hold up the command (POSIX only).
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Log the requests meanwhile. One that cannot be written ends the log with a warning only."""
    log = _LogFile(path)
    log.open()
    try:
        with logging_requests(log.add):
            yield
    finally:
        log.close()


class _LogFile:
    """The file while it is open; its first error is reported when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._error: OSError | None = None

    def open(self) -> None:
        try:
            refuse_dangling_link(self._path)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _AT_ONCE | _BINARY
            self._descriptor = os.open(self._path, flags, PRIVATE)
            if sys.platform != "win32":
                os.set_blocking(self._descriptor, True)
        except OSError as error:
            self._error = error
        self._write(_head())

    def add(self, exchange: Exchange) -> None:
        self._write(log_entry(exchange))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        if self._error is not None:
            why = self._error.strerror or type(self._error).__name__
            warn(escape_control_chars(f"--log-requests {self._path}: cannot be written: {why}"))

    def _write(self, text: str) -> None:
        if self._descriptor is None or self._error is not None:
            return
        content = text.encode("utf-8", "backslashreplace")
        try:
            # At once, so that no other program's write comes between two parts of a request.
            written = os.write(self._descriptor, content)
            while written < len(content):
                written += os.write(self._descriptor, content[written:])
        except OSError as error:
            self._error = error


def _head() -> str:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    lines = (
        f"# stacktui {__version__}, {now}: requests, without their secrets and answers",
        "# az rest gets its token itself, and trusts the bundle in REQUESTS_CA_BUNDLE; for curl:",
        f"# {for_this_machine(TOKEN_LINES)}",
    )
    return "\n".join((*lines, ""))


def log_entry(exchange: Exchange) -> str:
    """Return a request as comments and the lines that repeat it, after a blank line."""
    sent, response = exchange.sent, exchange.response
    if sent is None:
        return ""
    began = f"{sent.started:%Y-%m-%dT%H:%M:%S}.{sent.started.microsecond // 1000:03}Z"
    phases = ", ".join(f"{each.name} {_milliseconds(each.seconds)}" for each in exchange.phases)
    took = f"{_milliseconds(exchange.seconds)} ms ({phases})"
    comments = [f"{began} {exchange.method} {exchange.outcome}, {took}"]
    if exchange.fault is not None:
        comments.append(str(exchange.fault))
    if response is not None and (request_id := response.header("x-ms-request-id")):
        comments.append(f"x-ms-request-id {request_id}")
    if sent.withheld:
        comments.append(f"{BODY}: {sent.withheld} bytes, which are not shown")
    if note := ca_note(exchange):
        comments.append(note)
    # Whoever runs the file as a script must not run the second line of a comment.
    lines = [f"# {escape_control_chars(each)}" for each in comments]
    lines += filter(None, map(for_this_machine, command_lines(exchange)))
    return "\n".join(("", *lines, ""))


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
