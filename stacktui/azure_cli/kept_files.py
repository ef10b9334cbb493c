"""Whether `az` can read the files in which it keeps tokens, service principals and subscriptions.

A truncated one of the first two ends every login with a JSONDecodeError (PROTOCOL.md section 7); a
truncated `azureProfile.json` az mends itself, but not one that is other JSON than it writes (2.66
run). They hold secrets: nothing of them is kept or said but where the JSON ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from stacktui.azure_cli.ini_files import ENCODING, BrokenFile, Flaw
from stacktui.config.bounded_read import FileReadError, ReadProblem, read_bounded

TOKENS, SERVICE_PRINCIPALS = "msal_token_cache.json", "service_principal_entries.json"
SUBSCRIPTIONS = "azureProfile.json"
_OTHER = "its JSON is not what az writes there"
# A token has up to 16 KiB, and az keeps one for each account and resource.
_MAX_SIZE = 4 * 1024 * 1024


def broken_kept_files(folder: Path, *, encrypted: bool) -> Iterator[BrokenFile]:
    """Yield those that az cannot read. Blocks on disk; never raises.

    `encrypted` says that az keeps tokens and service principals in other files than these.
    """
    for name in (SUBSCRIPTIONS,) if encrypted else (SUBSCRIPTIONS, TOKENS, SERVICE_PRINCIPALS):
        path = folder / name
        try:
            content = read_bounded(path, _MAX_SIZE)
        except FileReadError as error:
            if error.problem is ReadProblem.UNREADABLE:
                yield BrokenFile(path, Flaw.UNREADABLE, error.detail)
            continue  # missing, or too large
        if why := _why_not(name, content):
            yield BrokenFile(path, Flaw.JSON, why)


def _why_not(name: str, content: bytes) -> str:
    # MSAL takes an empty cache for a new one; az's own reader does not.
    if name == TOKENS and not content:
        return ""
    try:
        found = json.loads(content.decode("utf-8-sig" if name == SUBSCRIPTIONS else ENCODING))
    except json.JSONDecodeError as error:
        if name == SUBSCRIPTIONS:  # az starts it anew
            return ""
        return f"it is no JSON from line {error.lineno}, column {error.colno} on"
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} is not UTF-8"
    except (ValueError, RecursionError):
        return "it is no JSON"
    return "" if _IS_OF_AZ[name](found) else _OTHER


def _are_tokens(found: object) -> bool:
    tokens = found.get("AccessToken", {}) if isinstance(found, dict) else None
    return isinstance(tokens, dict) and all(isinstance(each, dict) for each in tokens.values())


def _are_service_principals(found: object) -> bool:
    return _are_objects(found, "client_id")


def _are_subscriptions(found: object) -> bool:
    if not isinstance(found, dict):
        return False
    subscriptions = found.get("subscriptions")
    return not subscriptions or _are_objects(subscriptions, "id", "environmentName")


def _are_objects(found: object, *keys: str) -> bool:
    """Return whether it is a list of objects, each with these keys."""
    return isinstance(found, list) and all(
        isinstance(each, dict) and all(key in each for key in keys) for each in found
    )


_IS_OF_AZ = {
    TOKENS: _are_tokens,
    SERVICE_PRINCIPALS: _are_service_principals,
    SUBSCRIPTIONS: _are_subscriptions,
}
