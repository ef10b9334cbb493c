"""The error answers that MSAL keeps for `az`, in `msal_http_cache.bin` of its folder.

MSAL gives a kept answer to the same request again, without asking (`throttled_http_client.py`
of msal 1.33): a 400 for 60 s, a 429 or 5xx for as long as `Retry-After` says. The file is a
pickle, and whoever loads a pickle runs what it says. Nothing is loaded here: its instructions are
read one by one, those that az's own file has build strings, numbers, lists and mappings, and
whatever else it names stays a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

# MSAL keeps 1024 answers at most, of about 80 instructions each.
_MAX_STEPS = 200_000
# So many are told, those that are kept longest.
_MAX_KEPT = 16
_MAX_TEXT = 16 * 1024
_INDEX = "_index_"
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

    Nothing of a content that az would not have written. Whether one has ended yet is not asked.
    """
    root = _built(content)
    index = root.get(_INDEX) if isinstance(root, dict) else None
    times = index[1] if isinstance(index, tuple) and len(index) == 2 else None
    if not isinstance(root, dict) or not isinstance(times, dict):
        return ()
    found = (_kept(key, root.get(key), when) for key, when in times.items())
    kept = sorted((each for each in found if each), key=lambda each: each.ends, reverse=True)
    return tuple(kept[:_MAX_KEPT])


def _kept(key: str, answer: object, when: object) -> KeptError | None:
    named = _KEY.fullmatch(key)
    moments = [_moment(each) for each in when] if isinstance(when, list) and len(when) == 2 else []
    if named is None or not isinstance(answer, _Object) or not isinstance(answer.state, dict):
        return None
    match moments:
        case [datetime() as ends, datetime() as made]:
            return KeptError(named[1], _said(answer.state), made, ends)
    return None


def _moment(value: object) -> datetime | None:
    seconds = value if isinstance(value, int) else -1
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds < 2**33 else None


def _said(state: dict[str, object]) -> str:
    """The name of an error, and nothing else of what was answered."""
    status, text = state.get("status_code"), state.get("text")
    text = text[:_MAX_TEXT] if isinstance(text, str) else ""
    if number := _NUMBER.search(text):
        return number[0]
    if error := _ERROR.search(text):
        return error[1]
    return f"HTTP {status}" if isinstance(status, int) and 100 <= status < 1000 else "an error"


class _Object:
    """What a pickle would make of a class: here, what it would give to it."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state: object = None


class _NotOursError(Exception):
    """An instruction, or a use of one, that az's own cache has not."""


class _Builder:
    """The stack of values that a pickle's instructions work on."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def after_mark(self) -> list[Any]:
        values, self.stack = self.stack, self.below.pop()
        return values

    def put(self, pairs: list[Any]) -> None:
        into = self.stack[-1]
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            # Keys are texts: others may be slow or impossible to compare.
            if not isinstance(into, dict) or not isinstance(key, str):
                raise _NotOursError
            into[key] = value

    def add(self, values: list[Any]) -> None:
        if not isinstance(into := self.stack[-1], list):
            raise _NotOursError
        into.extend(values)

    def take(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise _NotOursError
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def push(self, value: object) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def remember(self, at: int) -> None:
        self.memo[at] = self.stack[-1]

    def make(self) -> None:
        self.take(2)  # a class, and what to make an object of it with
        self.push(_Object())

    def build(self) -> None:
        (state,) = self.take(1)
        if not isinstance(made := self.stack[-1], _Object):
            raise _NotOursError
        made.state = state


# The instructions of protocol 4, in which az writes, by `pickletools`' names; `at` is the operand.
_STEPS: dict[str, Callable[[_Builder, Any], None]] = {
    "PROTO": lambda _, at: None,
    "FRAME": lambda _, at: None,
    "MARK": lambda built, at: built.mark(),
    "EMPTY_DICT": lambda built, at: built.push({}),
    "EMPTY_LIST": lambda built, at: built.push([]),
    "EMPTY_TUPLE": lambda built, at: built.push(()),
    "TUPLE": lambda built, at: built.push(tuple(built.after_mark())),
    "TUPLE1": lambda built, at: built.push(tuple(built.take(1))),
    "TUPLE2": lambda built, at: built.push(tuple(built.take(2))),
    "TUPLE3": lambda built, at: built.push(tuple(built.take(3))),
    "SETITEM": lambda built, at: built.put(built.take(2)),
    "SETITEMS": lambda built, at: built.put(built.after_mark()),
    "APPEND": lambda built, at: built.add(built.take(1)),
    "APPENDS": lambda built, at: built.add(built.after_mark()),
    "MEMOIZE": lambda built, at: built.remember(len(built.memo)),
    "BINGET": lambda built, at: built.push(built.memo[at]),
    "LONG_BINGET": lambda built, at: built.push(built.memo[at]),
    "STACK_GLOBAL": lambda built, at: built.push(tuple(built.take(2))),
    "NEWOBJ": lambda built, at: built.make(),
    "BUILD": lambda built, at: built.build(),
    "NONE": lambda built, at: built.push(None),
    "NEWTRUE": lambda built, at: built.push(True),
    "NEWFALSE": lambda built, at: built.push(False),
    **dict.fromkeys(
        ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2", "LONG1"),
        lambda built, at: built.push(at),
    ),
}


def _built(content: bytes) -> object:
    """What the instructions build, of nothing but plain values; None if az's are others."""
    from pickletools import genops

    built = _Builder()
    try:
        for step, (code, operand, _) in enumerate(genops(content)):
            if code.name == "STOP":
                return built.stack[-1]
            if step > _MAX_STEPS:
                return None
            _STEPS[code.name](built, operand)
    except (_NotOursError, LookupError, ValueError):
        pass  # ValueError: genops' own, of what is no pickle or ends early
    return None
