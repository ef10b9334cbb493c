"""Read-only mode: no config, record, trust store or other file of the user's is changed, and
nothing on a stamp.

On by `--read-only`, or by `read_only = true` in the config that was read last. Checks still run,
and the history of checks is still written: it is stacktui's own memory, which changes nothing that
a check or another program uses.
"""

from __future__ import annotations

from stacktui.errors import StacktuiError

# Who turned the mode on; one for the whole process, as `write_atomically` asks it.
_asked_by = {"--read-only": False, "read_only in the config": False}


class ReadOnlyError(StacktuiError):
    """Something was to be changed in read-only mode; `str()` says what turned the mode on."""


def set_by_option(wanted: bool) -> None:
    _asked_by["--read-only"] = wanted


def set_by_config(wanted: bool) -> None:
    _asked_by["read_only in the config"] = wanted


def is_read_only() -> bool:
    return any(_asked_by.values())


def refuse_if_read_only() -> None:
    """Raise ReadOnlyError in read-only mode."""
    for who, asked in _asked_by.items():
        if asked:
            raise ReadOnlyError(f"read-only ({who}): nothing was changed")
