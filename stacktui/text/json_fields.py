"""The fields of a JSON value from outside: each reader returns its own type, whatever is there.

`path` is the keys of the objects that lead to the field; without one, the value itself is read.
Of a field of another type, or of none, the readers return nothing: "", {}, () or None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any


def mapping(value: object, *path: str) -> Mapping[str, Any]:
    """Return an object."""
    for key in path:
        value = mapping(value).get(key)
    return value if isinstance(value, dict) else {}


def text(value: object, *path: str) -> str:
    """Return a string, unsanitised; it may hold lone surrogates."""
    found = _field(value, path)
    return found if isinstance(found, str) else ""


def items(value: object, *path: str) -> Sequence[Any]:
    """Return a list's items, which may be anything."""
    found = _field(value, path)
    return found if isinstance(found, list) else ()


def number(value: object, *path: str, quoted: bool = False) -> float | None:
    """Return a finite number; `quoted`, also one in a string, as some sign-in services write it."""
    found = _field(value, path)
    if isinstance(found, bool) or not isinstance(found, int | float | (str if quoted else int)):
        return None
    try:
        read = float(found)
    except (ValueError, OverflowError):
        return None
    return read if isfinite(read) else None


def _field(value: object, path: Sequence[str]) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
