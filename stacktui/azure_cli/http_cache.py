"""The error responses that MSAL caches for `az`, in `msal_http_cache.bin` of its folder.

MSAL repeats a cached response to the same request (`throttled_http_client.py` of msal 1.33): a 400
for 60 s, a 429 or 5xx as long as `Retry-After` says. The file is a pickle, and loading a pickle can
run any code. So it is not loaded: only its strings and numbers are read, in az's order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pickletools import genops

# The errors returned, those that are kept longest.
_MAX_KEPT = 16
_MAX_TEXT = 16 * 1024
# Seconds since 1970 that every platform makes a date of.
_TIMES = range(2**33)
# The keys of kept errors: those of successes (`GET … 2xx`) are none.
_KEY = re.compile(
    r"POST (https?://[!-~]{1,500}) (?:client_id=.{0,2000} )?hash=[0-9a-f]{64}"
    r" (?:400|429/5xx/Retry-After)"
)
_NUMBER = re.compile(r"\b(?:AADSTS|MSIS)[0-9]{1,9}\b")
_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_ERROR = re.compile(r'"error"\s{0,9}:\s{0,9}"([a-z_]{1,60})"')


@dataclass(frozen=True, slots=True)
class KeptError:
    """An error response of `url`, received at `made` and repeated until `ends`.

    `said` is its code: `AADSTS700016`, `MSIS9622`, `invalid_client`, else `HTTP 503`. `mentions`
    are the ids (GUIDs, in lower case) in its text and of the client that was refused.
    """

    url: str
    said: str
    made: datetime
    ends: datetime
    mentions: frozenset[str] = field(default=frozenset(), compare=False)


@lru_cache(maxsize=1)
def kept_errors(content: bytes) -> tuple[KeptError, ...]:
    """Return the errors in the content of a cache, those that last longest first. Never raises.

    Empty if az would not write such content. Expired errors are included.
    """
    values = _values(content)
    answers: dict[str, str] = {}
    mentioned: dict[str, frozenset[str]] = {}
    times: dict[str, tuple[datetime, datetime]] = {}
    for at in range(len(values)):
        match values[at : at + 5]:
            case [str(key), "status_code", int(status), "text", str(text)]:
                answers[key] = _code(status, text)
                found = _GUID.findall(f"{key[:_MAX_TEXT]} {text[:_MAX_TEXT]}")
                mentioned[key] = frozenset(each.lower() for each in found)
            case [str(key), int(ends), int(made), *_] if ends in _TIMES and made in _TIMES:
                # The index has a queue first, where a key is followed by the times of the next
                # one, and then the mapping of each key to its own times, which replaces those.
                times[key] = datetime.fromtimestamp(ends, UTC), datetime.fromtimestamp(made, UTC)
    kept = [
        KeptError(named[1], answers[key], made, ends, mentioned[key])
        for key, (ends, made) in times.items()
        if key in answers and (named := _KEY.fullmatch(key))
    ]
    return tuple(sorted(kept, key=lambda each: each.ends, reverse=True)[:_MAX_KEPT])


def _code(status: int, text: str) -> str:
    """Return the code of an error response, and nothing else of it."""
    text = text[:_MAX_TEXT]
    if number := _NUMBER.search(text):
        return number[0]
    if error := _ERROR.search(text):
        return error[1]
    return f"HTTP {status}" if 100 <= status < 1000 else "an error"


def _values(content: bytes) -> list[object]:
    """Return the strings and numbers of a pickle, in its order, without loading it.

    Empty if it is no pickle, or calls anything: az's own does not.
    """
    # One value for each instruction that leaves one; None for what is neither text nor number.
    values: list[object] = []
    memo: list[object] = []
    try:
        for code, operand, _ in genops(content):
            if code.name == "REDUCE":
                return []
            if code.name == "MEMOIZE":
                memo.append(values[-1])
            elif code.name in ("BINGET", "LONG_BINGET"):
                values.append(memo[operand or 0])
            elif code.stack_after:
                values.append(operand)
    except (LookupError, ValueError):  # ValueError: genops' own, of what is no pickle or ends early
        return []
    return [each for each in values if each is not None]
