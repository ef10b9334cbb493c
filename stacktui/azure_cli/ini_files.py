"""Find problems in the INI files of `az`, `clouds.config` and `config`, parsed as az parses them.

As of az 2.66.2 (`core/cloud.py`, knack's `config.py`), az removes a `clouds.config` that does not
begin with a `[section]`, also because of a byte-order mark. Any other flaw ends each of its
commands with a traceback.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from stacktui.config.locations import config_directory, is_demo
from stacktui.text.sanitize import Redactor

# A cloud takes about 600 bytes; a larger file is not parsed.
MAX_SIZE = 2 * 1024 * 1024
# The encoding in which az's Python opens a file by default.
ENCODING = "mbcs" if sys.platform == "win32" else "utf-8"
# The section whose values all others have too.
DEFAULT = "DEFAULT"
# What configparser's interpolation fails at: a % that starts neither %% nor %(name)s.
_PERCENT = re.compile(r"%(?!\()")
_NAMED = re.compile(r"%\(([^)]*)\)s")
_OPTIONS = ("endpoint_", "suffix_")
_DELIMITER = re.compile("[=:]")


class Flaw(StrEnum):
    """The flaws of such a file."""

    UNREADABLE = "unreadable"
    BYTE_ORDER_MARK = "byte-order-mark"
    UTF_16 = "utf-16"
    ENCODING = "encoding"
    NO_SECTION = "no-section"
    SYNTAX = "syntax"
    PERCENT = "percent"
    PROFILE = "profile"
    BOOLEAN = "boolean"
    OUTPUT = "output"
    KEYRING = "keyring"
    JSON = "json"
    UNWRITABLE = "unwritable"


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that az cannot use; `detail` says where and why, `removed` that az removes it.

    `path` may be the name of a variable that overrides the file's option.
    """

    path: Path
    flaw: Flaw
    detail: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class AzCloud:
    """A section of `clouds.config`. Missing values are empty; text is sanitised."""

    name: str
    arm: str
    login: str
    audience: str
    profile: str


@dataclass(frozen=True, slots=True)
class Option:
    """`key` is in lower case; `value` is as it is written, with `%%` for a `%`.

    `lines` are the indices of its lines in the file, less blank lines and comments.
    """

    key: str
    value: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the file, whose header is line `header` (from 0)."""

    name: str
    header: int
    options: tuple[Option, ...]

    @property
    def values(self) -> dict[str, str]:
        return {each.key: each.value for each in self.options}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's sections as az reads them, or its flaw; neither if the file is not parsed.

    `defaults` are the values that every section has too. `lines` are the file's, with their ends.
    """

    sections: tuple[Section, ...] = ()
    defaults: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    flaw: Flaw | None = None
    detail: str = ""

    def section(self, name: str) -> Section | None:
        return next((each for each in self.sections if each.name == name), None)


def azure_folder() -> Path:
    """Return the folder of az's files, or where a demo keeps its own; it may not exist."""
    if is_demo():
        return config_directory() / "azure"
    return Path(os.environ.get("AZURE_CONFIG_DIR") or os.path.expanduser("~/.azure"))


@lru_cache(maxsize=8)
def parsed(content: bytes) -> Parsed:
    """Parse an INI file's content as az's configparser does. Never raises; takes linear time."""
    if len(content) > MAX_SIZE:
        return Parsed()
    try:
        text = content.decode(ENCODING)
    except ValueError as error:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return Parsed(flaw=Flaw.UTF_16, detail="it is UTF-16, where az reads UTF-8")
        at = getattr(error, "start", 0)
        return Parsed(flaw=Flaw.ENCODING, detail=f"byte {at + 1} is no {ENCODING.upper()}")
    # As `open` does: a carriage return ends a line too, a form feed does not.
    lines = tuple(io.StringIO(text, newline=""))
    try:
        sections = tuple(_sections(lines))
    except _FlawError as error:
        if error.flaw is Flaw.NO_SECTION and content.startswith(codecs.BOM_UTF8):
            return Parsed(flaw=Flaw.BYTE_ORDER_MARK, detail="it begins with a byte-order mark")
        return Parsed(flaw=error.flaw, detail=error.detail)
    of_default = [each.values for each in sections if each.name == DEFAULT]
    defaults = {key: value for values in of_default for key, value in values.items()}
    return Parsed(tuple(each for each in sections if each.name != DEFAULT), defaults, lines)


class _FlawError(Exception):
    def __init__(self, flaw: Flaw, line: int, what: str) -> None:
        super().__init__(what)
        self.flaw = flaw
        # Without the line's content: it may be secret.
        self.detail = f"line {line + 1}{what}"


def _sections(lines: Sequence[str]) -> Iterator[Section]:
    """Yield the sections by the rules of configparser (its `_read`). Raises _FlawError.

    A line that is indented deeper than its option's continues the value. DEFAULT may come twice.
    """
    name, header = "", 0
    options: list[Option] = []
    known: set[str] = set()
    of_default: set[str] = set()
    key, indent = "", 0
    value: list[str] = []
    at: list[int] = []

    def end_option() -> None:
        if key:
            options.append(Option(key, "\n".join(value).rstrip(), tuple(at)))

    for number, line in enumerate(lines):
        text = line.strip()
        if text.startswith(("#", ";")):
            continue
        if not text:
            value.append("")
            continue
        depth = len(line) - len(line.lstrip())
        if key and depth > indent:
            value.append(text)
            at.append(number)
            continue
        indent = depth
        end = text.rfind("]") if text.startswith("[") else 0
        if end > 1:
            end_option()
            if name:
                yield Section(name, header, tuple(options))
            name, header, key = text[1:end], number, ""
            if name in known and name != DEFAULT:
                what = f": the section {_clean(name)} is there already"
                raise _FlawError(Flaw.SYNTAX, number, what)
            known.add(name)
            options = []
            taken = of_default if name == DEFAULT else set()
            continue
        if not name:
            raise _FlawError(Flaw.NO_SECTION, number, " is before any [section]")
        end_option()
        first, *rest = _DELIMITER.split(text, maxsplit=1)
        key = first.rstrip().lower()
        if not rest or not key:
            raise _FlawError(Flaw.SYNTAX, number, " is no `name = value`")
        if key in taken:
            raise _FlawError(Flaw.SYNTAX, number, f": {_clean(key)} is there already")
        taken.add(key)
        value, at = [rest[0].strip()], [number]
    end_option()
    if name:
        yield Section(name, header, tuple(options))


def flaw_of_values(found: Parsed, profiles: Collection[str]) -> tuple[Flaw, str] | None:
    """Return what az, which knows `profiles`, fails at in the values of a `clouds.config`."""
    defaults = ((DEFAULT, item) for item in found.defaults.items() if found.sections)
    own = ((each.name, item) for each in found.sections for item in each.values.items())
    for name, (option, value) in (*defaults, *own):
        if not (option == "profile" or option.startswith(_OPTIONS)):
            continue
        if _PERCENT.search(value.replace("%%", "")) or _lacks_a_value(found, name, value):
            return Flaw.PERCENT, f"{_place(name, option, value)}: a % in it must be written %%"
        if option == "profile" and "%" not in value and value not in profiles:
            return Flaw.PROFILE, f"{_place(name, option, value)}: az knows no such profile"
    return None


def _lacks_a_value(found: Parsed, section: str, value: str) -> bool:
    """Return whether a `%(name)s` names no option."""
    own = found.section(section)
    known = found.defaults.keys() | (own.values.keys() if own is not None else ())
    return any(name.lower() not in known for name in _NAMED.findall(value.replace("%%", "")))


def _place(section: str, option: str, value: str) -> str:
    return f"[{_clean(section)}] {_clean(option)} = {_clean(value)}"


def has_section(found: Parsed, name: str) -> bool:
    """Return whether there is a section of this name, which may be sanitised."""
    return any(_clean(each.name) == _clean(name) for each in found.sections)


def clouds(found: Parsed) -> tuple[AzCloud, ...]:
    """Return the sections of a `clouds.config` in order, without those with interpolated values."""
    if any("%(" in each for each in found.defaults.values()):
        return ()
    return tuple(
        _cloud(each.name, ChainMap(each.values, found.defaults))
        for each in found.sections
        if not any("%(" in option.value for option in each.options)
    )


def _cloud(name: str, options: Mapping[str, str]) -> AzCloud:
    return AzCloud(
        _clean(name),
        _clean(options.get("endpoint_resource_manager", "")),
        _clean(options.get("endpoint_active_directory", "")),
        _clean(options.get("endpoint_active_directory_resource_id", "")),
        _clean(options.get("profile", "")),
    )


def value(found: Parsed, section: str, option: str) -> str:
    """Return one value, sanitised; empty if there is none."""
    known = found.section(section)
    return _clean({**found.defaults, **known.values}.get(option, "")) if known else ""


def _clean(text: str) -> str:
    return Redactor().sanitize(text.replace("%%", "%"))
