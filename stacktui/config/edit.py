"""Changing the config: comments, order and unknown keys are kept; a broken file is not written."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stacktui.config.atomic import exclusive, write_atomically
from stacktui.config.document import ConfigError, parse_document, read_content

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

# The groups of tables: `[environments.NAME]` and `[identities.NAME]`.
ENVIRONMENTS, IDENTITIES = "environments", "identities"


def add_table(
    path: Path,
    group: str,
    name: str,
    values: Mapping[str, object],
    *,
    active: bool | None = None,
) -> None:
    """Add `[GROUP.NAME]`, as `add_tables`."""
    add_tables(path, group, {name: values}, active=active)


def add_tables(
    path: Path,
    group: str,
    tables: Mapping[str, Mapping[str, object]],
    *,
    active: bool | None = None,
) -> None:
    """Add a `[GROUP.NAME]` for each name; None of the values leaves its key out.

    `active` makes the first one the active environment; None does so if no environment is. Raises
    ConfigError where a name is taken, or where the file cannot be read or written; then none is
    added.
    """
    import tomlkit
    from tomlkit.items import InlineTable

    first = next(iter(tables))
    given = {
        name: {key: value for key, value in values.items() if value is not None}
        for name, values in tables.items()
    }

    def is_activated(document: Mapping[str, Any]) -> bool:
        if active is None:
            return group == ENVIRONMENTS and "active" not in document
        return active

    def change(document: TOMLDocument) -> str:
        known = document.setdefault(group, tomlkit.table(is_super_table=True))
        if not isinstance(known, MutableMapping):
            raise ConfigError(path, f"{group} must be a table")
        for name, values in given.items():
            if name in known:
                raise ConfigError(path, f"{group}.{name} is already there; choose another name")
            table = tomlkit.inline_table() if isinstance(known, InlineTable) else tomlkit.table()
            table.update({key: _item(value) for key, value in values.items()})
            known[name] = table
        if is_activated(document):
            return _with_top_level(document, "active", first)
        return tomlkit.dumps(document)

    def expected(before: dict[str, Any]) -> dict[str, Any]:
        after = before | {group: {**before.get(group, {}), **given}}
        return after | {"active": first} if is_activated(before) else after

    _edit(path, change, expected)


def remove_table(path: Path, group: str, name: str) -> None:
    """Remove `[GROUP.NAME]`, with the comment directly above it; `active` if it names this one.

    With the last table of a group the group's own goes too.

    Raises ConfigError where there is no such table, where it is an identity that environments use,
    or where the file cannot be read or written.
    """
    import tomlkit

    def change(document: TOMLDocument) -> str:
        tables = document.get(group)
        if not isinstance(tables, MutableMapping) or name not in tables:
            raise ConfigError(path, f"{group}.{name} is not there")
        if group == IDENTITIES and (users := users_of(document.unwrap(), name)):
            who = ", ".join(users)
            raise ConfigError(path, f"identities.{name} is used by {who}; change these first")
        if group == ENVIRONMENTS and document.get("active") == name:
            del document["active"]
        text = tomlkit.dumps(document)
        is_last = len(tables) == 1
        without = _without_table(text, (group,) if is_last else (group, name))
        if without != text:
            return without
        if is_last:
            del document[group]
        else:
            del tables[name]  # an inline table, or dotted keys
        return tomlkit.dumps(document)

    def expected(before: dict[str, Any]) -> dict[str, Any]:
        left = {key: value for key, value in before[group].items() if key != name}
        after = {**before, group: left}
        if group == ENVIRONMENTS and before.get("active") == name:
            del after["active"]
        if not left:
            del after[group]
        return after

    _edit(path, change, expected)


def users_of(document: Mapping[str, Any], identity: str) -> list[str]:
    """Return the environments that name this identity."""
    tables = document.get(ENVIRONMENTS)
    return [
        name
        for name, table in (tables.items() if isinstance(tables, Mapping) else ())
        if isinstance(table, Mapping) and table.get("identity") == identity
    ]


def _without_table(text: str, place: tuple[str, ...]) -> str:
    """Return the text without the sections of the table at `place` and of those in it.

    A comment directly above a header belongs to that header. A line of a string that looks like a
    header is found by the comparison of what is left.
    """
    kept: list[str] = []
    loose: list[str] = []  # blank lines and comments since the last key
    removing = False
    for each in text.splitlines(keepends=True):
        if not each.strip() or each.lstrip().startswith("#"):
            loose.append(each)
            continue
        if key := _header(each):
            was_removing, removing = removing, key[: len(place)] == place
            if removing:  # the comment directly above goes with it
                while loose and loose[-1].strip():
                    loose.pop()
            elif was_removing:  # of the blank lines before and after one is enough
                while loose and not loose[0].strip() and not "".join(kept[-1:]).strip():
                    del loose[0]
            kept += [] if removing and was_removing else loose
        elif not removing:
            kept += loose
        kept += [] if removing else [each]
        loose = []
    return "".join(kept + loose)


def _header(text: str) -> tuple[str, ...]:
    """Return the key of a table's header, its parts in order; empty if the line is none."""
    if not text.lstrip().startswith("["):
        return ()
    try:
        tables: object = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return ()
    key: list[str] = []
    while isinstance(tables, dict) and tables:
        name, tables = next(iter(tables.items()))
        key.append(name)
    return tuple(key)


def set_in_table(path: Path, group: str, name: str, changes: Mapping[str, object]) -> None:
    """Set each key of `[GROUP.NAME]` to its value; None removes the key.

    `limits.step` is the key `step` of the sub-table `limits`. Raises ConfigError where there is no
    such table, or where the file cannot be read or written.
    """

    def change(document: TOMLDocument) -> str:
        import tomlkit
        from tomlkit.items import Table

        tables = document.get(group)
        table = tables.get(name) if isinstance(tables, MutableMapping) else None
        if not isinstance(table, MutableMapping):
            raise ConfigError(path, f"{group}.{name} is not there")
        for path_, value in changes.items():
            outer, _, key = path_.rpartition(".")
            inner = tomlkit.table() if isinstance(table, Table) else tomlkit.inline_table()
            if outer and not isinstance(table.get(outer), MutableMapping):
                table[outer] = inner  # a value that is not a table is replaced
            holder = table[outer] if outer else table
            if value is None:
                holder.pop(key, None)
            elif outer or key in holder or not isinstance(holder, Table):
                holder[key] = _item(value)
            else:
                _append(holder, key, _item(value))
        return tomlkit.dumps(document)

    def expected(before: dict[str, Any]) -> dict[str, Any]:
        table = with_changes(before[group][name], changes)
        return before | {group: before[group] | {name: table}}

    _edit(path, change, expected)


def with_changes(table: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """Return the values that a table has after `set_in_table` with these changes."""
    changed = dict(table)
    for path, value in changes.items():
        group, _, key = path.rpartition(".")
        holder = changed
        if group:
            inner = changed.get(group, {})
            # A value that is not a table is replaced.
            holder = changed[group] = dict(inner) if isinstance(inner, dict) else {}
        if value is None:
            holder.pop(key, None)
        else:
            holder[key] = value
    return changed


def _item(value: object) -> object:
    """Return a mapping as an inline table, so that it stays with the other keys of its table."""
    import tomlkit

    if not isinstance(value, Mapping):
        return value
    inline = tomlkit.inline_table()
    inline.update({key: _item(each) for key, each in value.items()})
    return inline


def _append(table: Table, key: str, value: object) -> None:
    """Add a key after the last one, but before comments, which belong to the next table."""
    body, leading_on = table.value.body, []
    while body and body[-1][0] is None:
        leading_on.append(body.pop())
    table[key] = value
    body.extend(reversed(leading_on))


def remember(path: Path, key: str, value: str) -> None:
    """Set the top-level `key` (`active`, `theme`). Raises ConfigError."""
    _edit(
        path,
        lambda document: _with_top_level(document, key, value),
        lambda before: before | {key: value},
    )


def _with_top_level(document: TOMLDocument, key: str, value: str) -> str:
    import tomlkit

    if key in document:
        document[key] = value
        return tomlkit.dumps(document)
    # A top-level key must precede the first table; tomlkit would append it.
    return f"{key} = {tomlkit.item(value).as_string()}\n{tomlkit.dumps(document)}"


def _edit(
    path: Path,
    change: Callable[[TOMLDocument], str],
    expected: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    read_content(path)  # fails before `exclusive` would make a folder
    try:
        with exclusive(path):
            write_atomically(path, _edited(path, change, expected))
    except OSError as error:
        raise ConfigError(path, f"cannot be written ({error.strerror}); nothing changed") from None


def _edited(
    path: Path,
    change: Callable[[TOMLDocument], str],
    expected: Callable[[dict[str, Any]], dict[str, Any]],
) -> bytes:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    content = read_content(path)
    before = parse_document(path, content)
    try:
        text = change(tomlkit.parse(content.decode("utf-8-sig")))
        # Parse what would be written: among dotted keys, tomlkit can insert a table that captures
        # the keys after it.
        safe = tomllib.loads(text) == expected(before)
    except (TOMLKitError, tomllib.TOMLDecodeError):
        safe = False
    if not safe:
        raise ConfigError(path, "is laid out in a way that only you can change; edit it by hand")
    try:
        return text.encode()
    except UnicodeEncodeError:  # an argument that is not UTF-8
        raise ConfigError(path, "can hold only UTF-8 text; nothing changed") from None
