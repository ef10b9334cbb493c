"""The lines of a config at which its tables and keys begin, for errors that name a place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator


def lines_by_place(text: str) -> dict[str, int]:
    """Return the line (from 1) of each table and key, by its place (`environments.West.arm`).

    Reads line by line, and so takes what looks like a key inside a string of several lines for
    one; the first line of a place counts. An inline table has the line of its own key only.
    """
    found: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            table = _path(line)
            place = table
        elif "=" in line:
            key = _path(f"{line.partition('=')[0]}=0")
            place = (*table, *key) if key else ()
        else:
            continue
        for count in range(1, len(place) + 1):
            found.setdefault(".".join(place[:count]), number)
    return found


def line_of(lines: dict[str, int], place: str) -> int | None:
    """Return the line of `place`, else of the innermost table around it; None if it has none."""
    while place and place not in lines:
        place = place.rpartition(".")[0]
    return lines.get(place)


def _path(line: str) -> tuple[str, ...]:
    """Return the keys of a table's header, or of one `key = value`; empty where it is neither."""
    try:
        return tuple(_keys(tomllib.loads(line)))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return ()


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, list) and len(value) == 1:  # [[name]]
        value = value[0]
    if isinstance(value, dict) and len(value) == 1:
        ((key, inner),) = value.items()
        yield key
        yield from _keys(inner)
