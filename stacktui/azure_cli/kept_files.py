"""Whether `az` can read the files in which it keeps tokens and service principals.

A truncated one ends every login with a JSONDecodeError (PROTOCOL.md section 7). They hold secrets:
nothing of them is kept or said but where the JSON ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from stacktui.azure_cli.ini_files import ENCODING, BrokenFile, Flaw
from stacktui.config.bounded_read import FileReadError, ReadProblem, read_bounded

TOKENS, SERVICE_PRINCIPALS = "msal_token_cache.json", "service_principal_entries.json"
# A token has up to 16 KiB, and az keeps one for each account and resource.
_MAX_SIZE = 4 * 1024 * 1024


def broken_kept_files(folder: Path) -> Iterator[BrokenFile]:
    """Yield those that az cannot read. Blocks on disk; never raises."""
    for name, kind in ((TOKENS, dict), (SERVICE_PRINCIPALS, list)):
        path = folder / name
        try:
            content = read_bounded(path, _MAX_SIZE)
        except FileReadError as error:
            if error.problem is ReadProblem.UNREADABLE:
                yield BrokenFile(path, Flaw.UNREADABLE, error.detail)
            continue  # missing, or too large
        # MSAL takes an empty cache for a new one; az's own reader does not.
        if not (kind is dict and not content) and (why := _why_not(content, kind)):
            yield BrokenFile(path, Flaw.JSON, why)


def _why_not(content: bytes, kind: type) -> str:
    try:
        found = json.loads(content.decode(ENCODING))
    except json.JSONDecodeError as error:
        return f"it is no JSON from line {error.lineno}, column {error.colno} on"
    except (ValueError, RecursionError):  # not of that encoding, or absurd
        return "it is no JSON"
    return "" if isinstance(found, kind) else "its JSON is not what az writes there"
