"""Reading the config as typed values.

By the standard library's tomllib, which is fast enough to run before first paint; only changing the
file needs tomlkit (see `edit`).
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from stacktui.errors import StacktuiError, is_exhaustion
from stacktui.text.sanitize import escape_control_chars

# A larger file is not a config.
MAX_SIZE = 256 * 1024
# tomllib takes quadratic time and memory for a key with many dots.
MAX_DOTS = 1000
_POSITION = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|.*)\)$")
_KINDS = {str: "a string", int: "a number", float: "a number", bool: "true or false",
          dict: "a table", list: "a list"}  # fmt: skip


class ConfigError(StacktuiError):
    """The config cannot be used; `str()` is one line that names file, place and fix.

    `message` is that line without the file. `place` is the key or table that it is about, and
    `line` where that is in the file, if known.
    """

    def __init__(
        self, path: Path, message: str, *, place: str = "", line: int | None = None
    ) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = escape_control_chars(message)
        self.place = place
        self.line = line

    def at(self, line: int) -> ConfigError:
        """Return the error with its line in the file."""
        return ConfigError(self.path, f"line {line}: {self.message}", place=self.place, line=line)


def read_document(path: Path) -> dict[str, Any]:
    """Return the file as plain values; empty where there is no file. Raises ConfigError."""
    return parse_document(path, read_content(path))


def read_table(path: Path, group: str, name: str) -> dict[str, Any]:
    """Return `[GROUP.NAME]` as plain values; empty if it is no table. Raises ConfigError."""
    tables = read_document(path).get(group)
    table = tables.get(name) if isinstance(tables, dict) else None
    return table if isinstance(table, dict) else {}


def typed_path(text: str, config: Path) -> Path:
    """Return a path that was typed: below the working directory, or else the config's folder.

    Raises ValueError where its first folder is that of a user who is not there.
    """
    try:
        path = Path(text).expanduser()
        below = path.absolute()
        return below if below.exists() else (config.parent / path).absolute()
    except (RuntimeError, OSError, ValueError):  # as where the working directory is gone
        raise ValueError("starts from a folder that is not there") from None


def read_content(path: Path) -> bytes:
    """Return the file's bytes; empty where there is no file. Raises ConfigError."""
    try:
        if not path.exists():
            if path.is_symlink():
                # As a missing file, it would read as a config without environments.
                target = path.readlink()
                raise ConfigError(path, f"is a link to {target}, which leads to no file")
            return b""
        if not path.is_file():
            raise ConfigError(path, "is not a file; name a TOML file with --config")
        if path.stat().st_size > MAX_SIZE:
            raise ConfigError(path, "is over 256 KiB, so it is no stacktui config")
        return path.read_bytes()
    except OSError as error:
        if is_exhaustion(error):
            raise
        reason = error.strerror or type(error).__name__
        raise ConfigError(path, f"cannot be read ({reason}); check its permissions") from None


def parse_document(path: Path, content: bytes) -> dict[str, Any]:
    """Return `content` as plain values. Raises ConfigError with `path`, line and column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, "is not UTF-8; save it as UTF-8").at(line) from None
    if content.count(b".") > MAX_DOTS:
        for number, row in enumerate(content.split(b"\n"), 1):
            if row.count(b".") > MAX_DOTS:
                raise ConfigError(path, f"has over {MAX_DOTS} dots; split it").at(number)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, str(error), text) from None
    except RecursionError:
        raise ConfigError(path, "is nested too deeply to be a config") from None
    except ValueError:
        # CPython refuses integers of more than 4,300 digits.
        raise ConfigError(path, "holds a number of absurd length") from None


def _syntax_error(path: Path, message: str, text: str) -> ConfigError:
    found = _POSITION.match(message)
    what = found["what"] if found else message
    if found and found["line"]:
        line, column = int(found["line"]), int(found["column"])
    else:  # "at end of document"
        line = text.count("\n") + 1
        column = len(text) - (text.rfind("\n") + 1) + 1
    place = f"line {line}, column {column}"
    return ConfigError(path, f"{place}: {what}; the file was left as it is", line=line)


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like `name`, None where none is."""
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return matches[0] if matches else None


class Table:
    """One table of the config, with typed access. Each getter raises ConfigError with its key."""

    def __init__(self, path: Path, key: str, values: object) -> None:
        self.path = path
        self.key = key
        if not isinstance(values, dict):
            raise self.error(None, f"must be a table, not {_kind(values)}")
        self._values: Mapping[str, Any] = values

    def error(self, key: str | None, message: str) -> ConfigError:
        """Return a ConfigError about `key` of this table, or about the table itself."""
        place = ".".join(part for part in (self.key, key) if part)
        return ConfigError(self.path, f"{place} {message}" if place else message, place=place)

    def string(self, key: str) -> str | None:
        """Return a string that is not blank, or None where there is none."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.error(key, f"must be a string, not {_kind(value)}")
        if not value.strip():
            raise self.error(key, "is empty; give it a value or take the line out")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; false where there is none."""
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"must be true or false, not {_kind(value)}")
        return value

    def required(self, key: str, example: str) -> str:
        value = self.string(key)
        if value is None:
            raise self.error(None, f"has no {key}; add: {key} = {example}")
        return value

    def path_value(self, key: str) -> Path | None:
        """Return a path; `~` is the home directory, a relative one is below the config's folder."""
        value = self.string(key)
        return None if value is None else self._path(key, value)

    def paths(self, key: str) -> tuple[Path, ...]:
        """Return a list of paths, each as `path_value` does; empty where there is none."""
        values = self._values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise self.error(key, 'must be a list of paths, as ["~/venv"]')
        if not all(map(str.strip, values)):
            raise self.error(key, "has an empty path; take it out")
        return tuple(self._path(key, each) for each in values)

    def _path(self, key: str, value: str) -> Path:
        if "\0" in value:
            raise self.error(key, "holds a NUL character, which no path can")
        try:
            return self.path.parent / Path(value).expanduser()
        except RuntimeError:
            raise self.error(key, "starts from the home of a user who is not there") from None

    def strings(self, key: str) -> Mapping[str, str]:
        """Return a table of strings, empty where there is none."""
        table = self.table(key)
        return {name: table.required(name, '"…"') for name in table} if table else {}

    def table(self, key: str) -> Table | None:
        value = self._values.get(key)
        return None if value is None else Table(self.path, f"{self.key}.{key}".lstrip("."), value)

    def value(self, key: str) -> object:
        """Return the raw value."""
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def warnings(self, known: Collection[str]) -> list[str]:
        """Return one line for each unknown key; unknown keys stay in the file."""
        lines = []
        for key in self._values:
            if key in known:
                continue
            place = escape_control_chars(".".join(part for part in (self.key, key) if part))
            meant = nearest(key, known)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(sorted(known))}"
            lines.append(f"{self.path}: {place} is not a known key; {hint}")
        return lines


def _kind(value: object) -> str:
    return _KINDS.get(type(value), f"a {type(value).__name__}")
