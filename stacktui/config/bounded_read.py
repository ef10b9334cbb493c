"""Reading a user's file of unknown kind and size, without blocking."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from stacktui.errors import StacktuiError, is_exhaustion


class ReadProblem(StrEnum):
    """Why a file cannot be read."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"


class FileReadError(StacktuiError):
    """A file that cannot be read; `detail` says why, in the system's words where it has any."""

    def __init__(self, problem: ReadProblem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail


def read_bounded(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes. Blocks on disk.

    Raises FileReadError; OSError and MemoryError only where the machine runs out (`is_exhaustion`).
    """
    try:
        if not path.is_file():  # opening a FIFO or a device could block for ever
            if not path.exists():
                raise FileReadError(ReadProblem.MISSING, "no such file")
            what = "it is a directory" if path.is_dir() else "not a regular file"
            raise FileReadError(ReadProblem.UNREADABLE, what)
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise FileReadError(ReadProblem.MISSING, "no such file") from None
    except OSError as error:
        if is_exhaustion(error):
            raise
        detail = error.strerror or type(error).__name__
        raise FileReadError(ReadProblem.UNREADABLE, detail) from None
    except ValueError:  # a NUL in the name
        raise FileReadError(ReadProblem.MISSING, "no such name") from None
    if len(content) > limit:
        raise FileReadError(ReadProblem.TOO_LARGE, f"over {limit:,} bytes")
    return content
