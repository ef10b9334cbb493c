"""Change values of an INI file of az's, and keep every other byte of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from stacktui.azure_cli.ini_files import DEFAULT, ENCODING, Option, Parsed, Section, parsed


def with_values(content: bytes, name: str, values: Mapping[str, str]) -> bytes:
    """Return the file with these values in the section `name`, as az reads them.

    A value that is there already keeps its bytes, a changed one its key, its place and the comments
    in it. New ones follow the section's last, a new section the file's last. `content` has no flaw.
    Raises ValueError for what such a file cannot hold.
    """
    if name == DEFAULT or not _is_plain(name) or name.strip() != name or set(name) & set("[]"):
        raise ValueError("az's files cannot hold a section of this name")
    for key, value in values.items():
        if not _is_plain(value):
            raise ValueError(f"az's files cannot hold the value of {key}")
    escaped = {key: value.strip().replace("%", "%%") for key, value in values.items()}
    before = parsed(content)
    lines: list[str] = list(before.lines)
    end = _line_end(lines)
    section = before.section(name)
    if section is None:
        new = [f"[{name}]{end}", *(f"{key} = {value}{end}" for key, value in escaped.items()), end]
        if lines and lines[-1].strip():
            new.insert(0, end)
        lines = [*_ended(lines, end), *new]
    else:
        _change(lines, section, escaped, end)
    result = "".join(lines).encode(ENCODING)
    if not _is_changed_so(before, parsed(result), name, escaped):
        raise ValueError("the file is laid out in a way that only you can change")
    return result


def _is_plain(text: str) -> bool:
    try:
        return bool(text) and text.isprintable() and bool(text.encode(ENCODING))
    except UnicodeEncodeError:
        return False


def _line_end(lines: Sequence[str]) -> str:
    first = lines[0] if lines else ""
    return first[len(first.rstrip("\r\n")) :] or os.linesep


def _ended(lines: Sequence[str], end: str) -> list[str]:
    """Return the lines, the last with its end."""
    if lines and not lines[-1].endswith(("\r", "\n")):
        return [*lines[:-1], lines[-1] + end]
    return list(lines)


def _change(lines: list[str], section: Section, values: Mapping[str, str], end: str) -> None:
    known = {each.key: each for each in section.options}
    last = max((number for each in section.options for number in each.lines), default=None)
    after = section.header if last is None else last
    # As deep as the line before: a deeper one would continue its value.
    example = lines[section.options[-1].lines[0] if section.options else section.header]
    indent = example[: len(example) - len(example.lstrip())]
    new = [f"{indent}{key} = {values[key]}{end}" for key in values if key not in known]
    if new:
        lines[after : after + 1] = [*_ended([lines[after]], end), *new]
    removed: list[int] = []
    for key, value in values.items():
        if key in known and known[key].value != value:
            _replace(lines, known[key], value)
            removed += known[key].lines[1:]
    for number in sorted(removed, reverse=True):
        del lines[number]


def _replace(lines: list[str], option: Option, value: str) -> None:
    line = lines[option.lines[0]]
    at = min(place for place in map(line.find, "=:") if place >= 0) + 1
    old = line[at:].rstrip("\r\n")
    blank = old[: len(old) - len(old.lstrip())] or (" " if line[at - 2 : at - 1] == " " else "")
    lines[option.lines[0]] = f"{line[:at]}{blank}{value}{line[at + len(old) :]}"


def _is_changed_so(before: Parsed, after: Parsed, name: str, values: Mapping[str, str]) -> bool:
    """Return whether az reads the new values, and else what it read before."""
    old = {each.name: each.values for each in before.sections}
    expected = old | {name: old.get(name, {}) | dict(values)}
    found = {each.name: each.values for each in after.sections}
    return after.flaw is None and found == expected and after.defaults == before.defaults
