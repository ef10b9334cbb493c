"""The error answers that MSAL keeps for `az`, in `msal_http_cache.bin` of its folder.

MSAL gives a kept answer to the same request again, without asking (`throttled_http_client.py`
of msal 1.33): a 400 for 60 s, a 429 or 5xx for as long as `Retry-After` says. The file is a
pickle, and whoever loads a pickle runs what it says. It is not loaded here: only its texts and
numbers are read, in the order in which az writes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
_ERROR = re.compile(r'"error"\s{0,9}:\s{0,9}"([a-z_]{1,60})"')


@dataclass(frozen=True, slots=True)
class KeptError:
    """An error answer of `url`, given at `made`, and given again until `ends`.

    `said` names it: `AADSTS700016`, `MSIS9622`, `invalid_client`, else `HTTP 503`.
    """

    url: str
    said: str
    made: datetime
    ends: datetime


@lru_cache(maxsize=1)
def kept_errors(content: bytes) -> tuple[KeptError, ...]:
    """The errors in the content of a cache, those kept longest first. Never raises.

    Empty for a content that az would not have written. Errors that have ended are included.
    """
    values = _values(content)
    answers: dict[str, str] = {}
    times: dict[str, tuple[datetime, datetime]] = {}
    for at in range(len(values)):
        match values[at : at + 5]:
            case [str(key), "status_code", int(status), "text", str(text)]:
                answers[key] = _code(status, text)
            case [str(key), int(ends), int(made), *_] if ends in _TIMES and made in _TIMES:
                # The index has a queue first, where a key is followed by the times of the next
                # one, and then the mapping of each key to its own times, which replaces those.
                times[key] = datetime.fromtimestamp(ends, UTC), datetime.fromtimestamp(made, UTC)
    kept = [
        KeptError(named[1], answers[key], made, ends)
        for key, (ends, made) in times.items()
        if key in answers and (named := _KEY.fullmatch(key))
    ]
    return tuple(sorted(kept, key=lambda each: each.ends, reverse=True)[:_MAX_KEPT])


def _code(status: int, text: str) -> str:
    """The code of an error answer, and nothing else of what was answered."""
    text = text[:_MAX_TEXT]
    if number := _NUMBER.search(text):
        return number[0]
    if error := _ERROR.search(text):
        return error[1]
    return f"HTTP {status}" if 100 <= status < 1000 else "an error"


def _values(content: bytes) -> list[object]:
    """The texts and numbers of a pickle, in the order in which it has them; nothing is built.

    Empty for what is no pickle, and for one that calls anything: az's own does not.
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
