"""Whether `az` can write where each login writes.

After `sudo az login` the folder, or files in it, belong to root. az 2.66 was run as their reader
alone: without writing `config`, the token cache or the session files a login still ends well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stacktui.azure_cli.ini_files import BrokenFile, Flaw
from stacktui.azure_cli.kept_files import SERVICE_PRINCIPALS, SUBSCRIPTIONS

# What a login writes, and the log of each command.
_FILES = ("clouds.config", SUBSCRIPTIONS, SERVICE_PRINCIPALS, "msal_http_cache.bin")
_LOGS = "commands"


def unwritable(folder: Path) -> Iterator[BrokenFile]:
    """Yield the folder of az's files, or else those in it, that az cannot write. Never raises."""
    if why := _why_no_folder(folder):
        yield BrokenFile(folder, Flaw.UNWRITABLE, why)
        return
    if os.path.lexists(folder / _LOGS) and (why := _why_no_folder(folder / _LOGS)):
        yield BrokenFile(folder / _LOGS, Flaw.UNWRITABLE, why)
    for name in _FILES:
        if why := _why_no_file(folder / name):
            yield BrokenFile(folder / name, Flaw.UNWRITABLE, why)


def _why_no_folder(folder: Path) -> str:
    if os.path.isdir(folder):
        return "" if os.access(folder, os.W_OK | os.X_OK) else "this user may not write in it"
    if os.path.lexists(folder):
        return "it is no folder"
    above = next((each for each in folder.absolute().parents if os.path.lexists(each)), folder)
    return _why_no_folder(above) and f"it cannot be made in {above}"


def _why_no_file(path: Path) -> str:
    if os.path.isdir(path):
        return "it is a directory"
    if os.path.exists(path):
        if not os.path.isfile(path):
            return "it is no regular file"
        # Whoever can read the HTTP cache alone signs in: az does without it.
        may = os.access(path, os.W_OK) or path.suffix == ".bin"
        return "" if may else "this user may not write it"
    if os.path.islink(path) and not os.path.isdir(os.path.dirname(os.path.realpath(path))):
        return "it is a link to where nothing can be written"
    return ""
