"""Changing the config: comments, order and unknown keys stay; a broken file is never touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.config.atomic import write_atomically
from stacktui.config.document import ConfigError, parse_document

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def add_environment(path: Path, name: str, values: Mapping[str, object]) -> None:
    """Add `[environments.NAME]`, making it active if no environment is.

    Raises ConfigError when there is one of that name, or when the file cannot be read or written.
    """
    import tomlkit

    def change(document: TOMLDocument) -> str:
        environments = document.setdefault("environments", tomlkit.table(is_super_table=True))
        if name in environments:
            raise ConfigError(path, f"environments.{name} is already there; choose another name")
        table = tomlkit.table()
        table.update(values)
        environments[name] = table
        if "active" in document:
            return tomlkit.dumps(document)
        return _with_top_level(document, "active", name)

    _edit(path, change)


def remember(path: Path, key: str, value: str) -> None:
    """Set the top-level `key` (`active`, `theme`). Raises ConfigError."""
    _edit(path, lambda document: _with_top_level(document, key, value))


def _with_top_level(document: TOMLDocument, key: str, value: str) -> str:
    import tomlkit

    if key in document:
        document[key] = value
        return tomlkit.dumps(document)
    # A top-level key must come before the first table, where tomlkit would not put it.
    return f"{key} = {tomlkit.item(value).as_string()}\n{tomlkit.dumps(document)}"


def _edit(path: Path, change: Callable[[TOMLDocument], str]) -> None:
    import tomlkit

    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise ConfigError(path, f"cannot be read ({error.strerror}); nothing changed") from None
    parse_document(path, content)
    text = change(tomlkit.parse(content.decode("utf-8-sig")))
    # What would be written must read back: never leave a file that the next start refuses.
    parse_document(path, text.encode())
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise ConfigError(path, f"cannot be written ({error.strerror}); nothing changed") from None
