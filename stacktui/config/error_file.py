"""Reporting an internal error; `--debug` or STACKTUI_DEBUG=1 writes its traceback to a file.

A traceback holds no locals, and in its messages every secret that this process knows is redacted.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path
from traceback import TracebackException, extract_tb

from stacktui import __version__
from stacktui.errors import exhausted_resource
from stacktui.text.sanitize import sanitize_for_anyone

VARIABLE = "STACKTUI_DEBUG"
# The most characters of a line; a longer message quotes data.
_LINE = 500


def ask_for_traceback() -> None:
    """Set STACKTUI_DEBUG=1 for this process."""
    os.environ[VARIABLE] = "1"


def is_wanted() -> bool:
    return os.environ.get(VARIABLE, "") not in ("", "0")


def describe_error(error: BaseException, when: str = "") -> str:
    """Return what the machine lacks, else that the error is internal, in one line.

    With an internal error's type and place, and the file with its traceback, or how to get one;
    without its message, which may hold a secret.
    """
    if lacking := exhausted_resource(error):
        return lacking
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    what = f"internal error{when}: {type(error).__name__}{place}"
    return f"{what}; {_traceback_line(error)}; please report it"


def _traceback_line(error: BaseException) -> str:
    if not is_wanted():
        return f"{VARIABLE}=1 writes its traceback to a file"
    try:
        return f"traceback: {write_error(error)}"
    except OSError as unwritable:
        return f"its traceback could not be written ({unwritable.strerror})"


def write_error(error: BaseException) -> Path:
    """Write the traceback to a new file that only its owner can read. Raises OSError."""
    formatted = TracebackException.from_exception(error, capture_locals=False)
    lines = [line for part in formatted.format() for line in part.splitlines()]
    head = [
        f"stacktui {__version__}, Python {platform.python_version()}, {sys.platform}",
        "",
    ]
    text = "\n".join([*head, *(sanitize_for_anyone(line, _LINE) for line in lines), ""])
    handle, name = tempfile.mkstemp(prefix="stacktui-error-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)
