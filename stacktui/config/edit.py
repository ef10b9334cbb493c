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


def add_environment(path: Path, name: str, values: Mapping[str, object]) -> None:
    """Add `[environments.NAME]`, and make it active if no environment is.

    Raises ConfigError where the name is taken, or where the file cannot be read or written.
    """
    import tomlkit
    from tomlkit.items import InlineTable

    def change(document: TOMLDocument) -> str:
        environments = document.setdefault("environments", tomlkit.table(is_super_table=True))
        if not isinstance(environments, MutableMapping):
            raise ConfigError(path, "environments must be a table")
        if name in environments:
            raise ConfigError(path, f"environments.{name} is already there; choose another name")
        inline = isinstance(environments, InlineTable)
        table = tomlkit.inline_table() if inline else tomlkit.table()
        table.update(values)
        environments[name] = table
        if "active" in document:
            return tomlkit.dumps(document)
        return _with_top_level(document, "active", name)

    def expected(before: dict[str, Any]) -> dict[str, Any]:
        environments = {**before.get("environments", {}), name: values}
        return {"active": name} | before | {"environments": environments}

    _edit(path, change, expected)


def set_in_environment(path: Path, name: str, changes: Mapping[str, object]) -> None:
    """Set each key of `[environments.NAME]` to its value; None removes the key.

    `limits.step` is the key `step` of the sub-table `limits`. Raises ConfigError where there is no
    such environment, or where the file cannot be read or written.
    """

    def change(document: TOMLDocument) -> str:
        import tomlkit
        from tomlkit.items import Table

        environments = document.get("environments")
        table = environments.get(name) if isinstance(environments, MutableMapping) else None
        if not isinstance(table, MutableMapping):
            raise ConfigError(path, f"environments.{name} is not there")
        for path_, value in changes.items():
            group, _, key = path_.rpartition(".")
            inner = tomlkit.table() if isinstance(table, Table) else tomlkit.inline_table()
            if group and not isinstance(table.get(group), MutableMapping):
                table[group] = inner  # a value that is not a table is replaced
            holder = table[group] if group else table
            if value is None:
                holder.pop(key, None)
            elif group or key in holder or not isinstance(holder, Table):
                holder[key] = value
            else:
                _append(holder, key, value)
        return tomlkit.dumps(document)

    def expected(before: dict[str, Any]) -> dict[str, Any]:
        table = with_changes(before["environments"][name], changes)
        return before | {"environments": before["environments"] | {name: table}}

    _edit(path, change, expected)


def with_changes(table: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """Return the values that a table has after `set_in_environment` with these changes."""
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
