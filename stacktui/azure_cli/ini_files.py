"""Find problems in the INI files of `az`, `clouds.config` and `config`, parsed as az parses them.

As of az 2.66.2 (`core/cloud.py`, knack's `config.py`), az removes a `clouds.config` that does not
begin with a `[section]`, also because of a byte-order mark. Any other flaw ends each of its
commands with a traceback.
"""

from __future__ import annotations

import codecs
import configparser
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from stacktui.text.sanitize import Redactor

# A cloud takes about 600 bytes in 10 lines. Larger files are not parsed: configparser takes
# quadratic time for long lines, and for sections that inherit many values.
MAX_SIZE = 64 * 1024
_MAX_LINE = 1000
_MAX_LINES = 2000
_MAX_SECTIONS = 100
# The encoding in which az's Python opens a file by default.
_ENCODING = "mbcs" if sys.platform == "win32" else "utf-8"
# What configparser's interpolation fails at: a % that starts neither %% nor %(name)s.
_PERCENT = re.compile(r"%(?!\()")
_OPTIONS = ("endpoint_", "suffix_")


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


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that az cannot use; `detail` says where and why, `removed` that az removes it."""

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
class Parsed:
    """A file's sections as az reads them, or its flaw. Both are empty if the file is not parsed."""

    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    flaw: Flaw | None = None
    detail: str = ""


@lru_cache(maxsize=8)
def parsed(content: bytes) -> Parsed:
    """Parse an INI file's content as az's configparser does. Never raises; takes bounded time."""
    if len(content) > MAX_SIZE:
        return Parsed()
    try:
        text = content.decode(_ENCODING)
    except ValueError as error:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return Parsed(flaw=Flaw.UTF_16, detail="it is UTF-16, where az reads UTF-8")
        at = getattr(error, "start", 0)
        return Parsed(flaw=Flaw.ENCODING, detail=f"byte {at + 1} is no {_ENCODING.upper()}")
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # as `open` does
    lines = text.split("\n")
    if len(lines) > _MAX_LINES or max(map(len, lines)) > _MAX_LINE:
        return Parsed()
    if text.count("[") > _MAX_SECTIONS:
        return Parsed()
    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        if content.startswith(codecs.BOM_UTF8):
            detail = "it begins with a byte-order mark"
            return Parsed(flaw=Flaw.BYTE_ORDER_MARK, detail=detail)
        detail = f"line {error.lineno} is before any [section]"
        return Parsed(flaw=Flaw.NO_SECTION, detail=detail)
    except configparser.Error as error:
        return Parsed(flaw=Flaw.SYNTAX, detail=_where(error))
    # Raw: what values are made of by reference may be of any size.
    sections = ((name, tuple(parser.items(name, raw=True))) for name in parser.sections())
    return Parsed(tuple(sections))


def _where(error: configparser.Error) -> str:
    """Return the line's number and what is wrong with it, without its content: it may be secret."""
    match error:
        case configparser.DuplicateSectionError(lineno=line, section=name):
            return f"line {line}: the section {_clean(name)} is there already"
        case configparser.DuplicateOptionError(lineno=line, option=name):
            return f"line {line}: {_clean(name)} is there already"
        case configparser.ParsingError(errors=[(line, _), *_]):
            return f"line {line} is no `name = value`"
    return "az's parser does not take it"


def flaw_of_values(found: Parsed, profiles: Collection[str]) -> tuple[Flaw, str] | None:
    """Return what az, which knows `profiles`, fails at in the values of a `clouds.config`."""
    for name, options in found.sections:
        for option, value in options:
            if not (option == "profile" or option.startswith(_OPTIONS)):
                continue
            where = f"[{_clean(name)}] {_clean(option)} = {_clean(value)}"
            if _PERCENT.search(value.replace("%%", "")):
                return Flaw.PERCENT, f"{where}: a % in it must be written %%"
            if option == "profile" and "%" not in value and value not in profiles:
                return Flaw.PROFILE, f"{where}: az knows no such profile"
    return None


def clouds(found: Parsed) -> tuple[AzCloud, ...]:
    """Return the sections of a `clouds.config` in order, without those with interpolated values."""
    return tuple(
        _cloud(name, dict(options))
        for name, options in found.sections
        if not any("%(" in each for _, each in options)
    )


def _cloud(name: str, options: dict[str, str]) -> AzCloud:
    return AzCloud(
        _clean(name),
        _clean(options.get("endpoint_resource_manager", "")),
        _clean(options.get("endpoint_active_directory", "")),
        _clean(options.get("endpoint_active_directory_resource_id", "")),
        _clean(options.get("profile", "")),
    )


def value(found: Parsed, section: str, option: str) -> str:
    """Return one value, sanitised; empty if there is none."""
    return _clean(dict(dict(found.sections).get(section, ())).get(option, ""))


def _clean(text: str) -> str:
    return Redactor().sanitize(text.replace("%%", "%"))
