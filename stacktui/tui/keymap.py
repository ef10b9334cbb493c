"""The user's own keys: `[keys]` of the config, as a keymap of Textual's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key

from stacktui.config.document import nearest
from stacktui.tui.keys import NAMES

# A place of the screen: the classes whose keys work there, the innermost first.
Place = Sequence[type[DOMNode]]
_KEYS = {each.value for each in Keys} | {"space"}
_MODIFIERS = {"ctrl", "alt", "shift"}
_SHORT = {short: name for name, short in NAMES.items()}


def keymap_of(
    wanted: Mapping[str, Sequence[str]], places: Mapping[str, Place]
) -> tuple[dict[str, str], list[str]]:
    """Return the keymap for `wanted` (action to keys), and a warning for each that is refused.

    An unknown action or key is refused, and one that has another meaning in a place already.
    """
    known = {each.id for place in places.values() for each in _bindings(place) if each.id}
    keymap, warnings = {}, []
    for action, texts in wanted.items():
        keys = [key_name(text) for text in texts]
        if action not in known:
            meant = nearest(action, known)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(sorted(known))}"
            warnings.append(f"keys.{action} is not a known action; {hint}")
        elif None in keys:
            unknown = texts[keys.index(None)]
            warnings.append(f"keys.{action}: {unknown!r} is not a known key, as c, F, f5 or ctrl+x")
        else:
            keymap[action] = ",".join(key for key in keys if key)
    while (clash := next(conflicts(places, keymap), None)) is not None:
        place, key, meanings = clash
        refused = next((each for each in reversed(keymap) if each in meanings), None)
        if refused is None:
            break
        del keymap[refused]
        others = " and ".join(sorted(meanings - {refused}))
        key = NAMES.get(key, key)
        warnings.append(f"keys.{refused}: {key} is {others} in {place} already; not changed")
    return keymap, warnings


def conflicts(
    places: Mapping[str, Place], keymap: Mapping[str, str]
) -> Iterator[tuple[str, str, set[str]]]:
    """Yield the place, the key and the meanings of each key that has several in one place.

    `esc` has one meaning, though several actions: it goes back, from what is innermost.
    """
    for name, place in places.items():
        meanings: dict[str, set[str]] = {}
        for binding in _bindings(place):
            for key in keymap.get(binding.id or "", binding.key).split(","):
                what = "back" if key == "escape" and not binding.id else binding.id
                meanings.setdefault(key, set()).add(what or binding.action)
        yield from ((name, key, what) for key, what in meanings.items() if len(what) > 1)


def key_name(text: str) -> str | None:
    """Return a key as Textual names it, None for one that it does not know."""
    if len(text) == 1:
        return _character_to_key(text)
    text = _SHORT.get(text, text)
    *modifiers, key = text.split("+")
    if text in _KEYS or (key and _MODIFIERS.issuperset(modifiers) and key in _KEYS):
        return text
    return text if modifiers and _MODIFIERS.issuperset(modifiers) and len(key) == 1 else None


def _bindings(place: Place) -> Iterator[Binding]:
    """Yield the bindings of our own classes, one a key."""
    classes = chain.from_iterable(each.__mro__ for each in place)
    for each in dict.fromkeys(classes):
        if each.__module__.startswith("stacktui."):
            yield from Binding.make_bindings(vars(each).get("BINDINGS", ()))
