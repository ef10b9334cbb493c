"""The enabled keys and what they do, read from the bindings, for the hints and the help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from textual.binding import ActiveBinding
from textual.dom import DOMNode

from stacktui.config.read_only import is_read_only

NAMES = {
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "number_sign": "#",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "upper_g": "G",
    "upper_y": "Y",
}

# The actions that write, or open a screen that does, in the config, the record of a stamp, a trust
# store, the file of an identity or ARM. A check writes none of them in read-only mode.
WRITING = frozenset(
    ("use", "add", "edit", "remove", "copy_environment", "add_identity", "edit_identity",
     "duplicate_identity", "import_identities", "remove_identity", "managed_identity", "fix",
     "trust", "untrust", "export", "choose_theme", "edit_config", "create_group", "tag_group",
     "delete_group", "register_provider", "write_probe")
)  # fmt: skip


def may_run(action: str) -> bool:
    """Return whether an action is neither hidden nor refused, as one that writes is if read-only.

    `action` is its name without namespace and parameters.
    """
    return action not in WRITING or not is_read_only()


@dataclass(frozen=True, slots=True)
class Key:
    """One action with all its keys; `local` if the binding is the focused widget's own, not `now`
    if it would do nothing at present."""

    keys: tuple[str, ...]
    does: str
    action: str
    shown: bool
    local: bool
    node: DOMNode
    now: bool = True


def keys_of(bindings: Iterable[ActiveBinding], focused: object) -> list[Key]:
    """Return each enabled binding once, with all its keys, in the order of the bindings."""
    found: dict[tuple[str, bool], Key] = {}
    for active in bindings:
        binding = active.binding
        if not active.enabled or not binding.description:
            continue
        local = active.node is focused
        name = NAMES.get(binding.key, binding.key)
        known = found.get((binding.description, local))
        if known is None:
            key = Key(
                (name,), binding.description, binding.action, binding.show, local, active.node
            )
        else:
            key = replace(known, keys=(*known.keys, name))
        found[binding.description, local] = key
    return list(found.values())


def all_keys_of(node: DOMNode, *, local: bool) -> list[Key]:
    """Return every key of `node` with the user's own keys, enabled now or not; but not those that
    read-only mode hides."""
    bindings = node._bindings.copy()
    bindings.apply_keymap(node.app._keymap)
    active = [
        ActiveBinding(node, each, may_run(each.action.rpartition(".")[2].partition("(")[0]))
        for _, each in bindings
    ]
    return [
        replace(key, now=bool(node.app._check_action_state(key.action, node)))
        for key in keys_of(active, node if local else None)
    ]
