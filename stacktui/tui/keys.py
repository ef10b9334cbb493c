"""The keys of the place you are in, read from the bindings themselves: they cannot disagree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from textual.binding import ActiveBinding
from textual.dom import DOMNode

_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "upper_g": "G",
    "upper_y": "Y",
}


@dataclass(frozen=True, slots=True)
class Key:
    """What a key does here; `place` is true when it belongs to the focused pane alone."""

    keys: tuple[str, ...]
    does: str
    action: str
    shown: bool
    place: bool
    node: DOMNode


def keys_of(bindings: Iterable[ActiveBinding], focused: object) -> list[Key]:
    """Every enabled binding once, with all its keys, in the order of the bindings."""
    found: dict[tuple[str, bool], Key] = {}
    for active in bindings:
        binding = active.binding
        if not active.enabled or not binding.description:
            continue
        place = active.node is focused
        name = _NAMES.get(binding.key, binding.key)
        known = found.get((binding.description, place))
        if known is None:
            key = Key(
                (name,), binding.description, binding.action, binding.show, place, active.node
            )
        else:
            key = replace(known, keys=(*known.keys, name))
        found[binding.description, place] = key
    return list(found.values())
