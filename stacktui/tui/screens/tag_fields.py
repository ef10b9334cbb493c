"""The tags of a resource group as fields of a form: a line each, and one more to type into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from stacktui.resources.group_changes import TAG_RULE, is_tag
from stacktui.tui.widgets.fields import Field

# How many may be added at once; ARM keeps 50 at most.
_MORE = 8
_KEY = "tag "


class TagFields:
    """Fields for the tags that a group has `before`, and for others; `typed` are filled in.

    `values` of the methods are those of the form, by the fields' keys.
    """

    def __init__(self, before: Mapping[str, str], typed: Mapping[str, str] | None = None) -> None:
        self._typed = [f"{name}={value}" for name, value in (typed or {}).items()]
        self._before = {f"{_KEY}{at}": tag for at, tag in enumerate(before.items())}
        first = len(before)
        self._more = tuple(f"{_KEY}{at}" for at in range(first, first + _MORE))

    def fields(self) -> list[Field]:
        known = {key: f"{name}={value}" for key, (name, value) in self._before.items()}
        removed, new = "empty: it is removed", "NAME=VALUE"
        hints = dict.fromkeys(known, removed) | dict.fromkeys(self._more, new)
        known |= dict(zip(self._more, self._typed, strict=False))
        return [
            Field(key, "Tag", hint, known.get(key, ""), problem=partial(self._problem, key))
            for key, hint in hints.items()
        ]

    def hidden(self, values: Mapping[str, str]) -> Sequence[str]:
        """Return the keys of the empty fields, but for the first to type into."""
        empty = [key for key in self._more if not values[key]]
        return empty[1:]

    def problems(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return which name is there twice, by the field of the second; ARM ignores the case."""
        found: dict[str, str] = {}
        seen: set[str] = set()
        for key in (*self._before, *self._more):
            name = self._name(key, values).casefold()
            if name and name in seen:
                found[key] = "has the name of another one; ARM ignores the case"
            seen.add(name)
        return found

    def changes(self, values: Mapping[str, str]) -> dict[str, str | None]:
        """Return the tags to set, and with None those to remove."""
        changed: dict[str, str | None] = {}
        for key, (name, _) in self._before.items():
            if not self._is_kept(key, values[key]):
                changed[name] = None
        for key in (*self._before, *self._more):
            text, known = values[key], self._before.get(key)
            if text and (known is None or known[0] in changed):
                name, _, value = text.partition("=")
                # Of another case, it is the same tag.
                before = next(
                    (each for each in changed if each.casefold() == name.casefold()), name
                )
                changed[before] = value
        return changed

    def _name(self, key: str, values: Mapping[str, str]) -> str:
        known = self._before.get(key)
        if known is not None and self._is_kept(key, values[key]):
            return known[0]
        return values[key].partition("=")[0]

    def _is_kept(self, key: str, text: str) -> bool:
        """Return whether a field has a tag of the group, as it was."""
        known = self._before.get(key)
        return known is not None and text.strip() == "=".join(known).strip()

    def _problem(self, key: str, text: str) -> str:
        # A tag that is there and stays may have a name that ARM no longer takes.
        name, sign, value = text.partition("=")
        if not text or self._is_kept(key, text) or (sign and is_tag(name, value)):
            return ""
        return f"is NAME=VALUE: {TAG_RULE}"
