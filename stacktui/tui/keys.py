"""The enabled keys and what they do, read from the bindings, for the hints and the help."""

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
    """One action with all its keys; `local` if the binding is the focused widget's own."""

    keys: tuple[str, ...]
    does: str
    action: str
    shown: bool
    local: bool
    node: DOMNode


def keys_of(bindings: Iterable[ActiveBinding], focused: object) -> list[Key]:
    """Return each enabled binding once, with all its keys, in the order of the bindings."""
    found: dict[tuple[str, bool], Key] = {}
    for active in bindings:
        binding = active.binding
        if not active.enabled or not binding.description:
            continue
        local = active.node is focused
        name = _NAMES.get(binding.key, binding.key)
        known = found.get((binding.description, local))
        if known is None:
            key = Key(
                (name,), binding.description, binding.action, binding.show, local, active.node
            )
        else:
            key = replace(known, keys=(*known.keys, name))
        found[binding.description, local] = key
    return list(found.values())
