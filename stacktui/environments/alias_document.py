"""The document of VM image aliases that az reads (PROTOCOL.md section 7): parse, validate, write.

`{"outputs": {"aliases": {"value": {SYSTEM: {ALIAS: {"publisher", "offer", "sku", "version",
"architecture"}}}}}}`. What is wrong is data, as az 2.66 takes some of it, and fails at the rest.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stacktui.text.html_page import looks_like_html, page_title
from stacktui.text.sanitize import Redactor
from stacktui.transport.json_body import JsonError, parse_json

# The version of an alias that means the highest one.
LATEST = "latest"
# The fields of an alias. az needs all five; the first four make the URN.
_FIELDS = ("publisher", "offer", "sku", "version", "architecture")
# What a part of a URN can be: no separator, and nothing that leads to another path.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_WHERE = ("outputs", "aliases", "value")
_IN_ALL = ".".join(_WHERE)
_FAILS = "az 2.66 fails: Could not retrieve image list from … or local copy"
_CANNOT_JOIN = (
    "az vm image list fails for all aliases: sequence item {}: expected str instance, {} found"
)
# The problems that are listed; one of a kind in each of thousands of aliases says no more.
_MOST = 50
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class ImageAlias:
    """An alias, and the image that it stands for; `architecture` is empty where it is missing.

    `name` is sanitised. The parts of the URN are plain.
    """

    name: str
    system: str
    publisher: str
    offer: str
    sku: str
    version: str = LATEST
    architecture: str = "x64"

    @property
    def urn(self) -> str:
        return ":".join((self.publisher, self.offer, self.sku, self.version))


@dataclass(frozen=True, slots=True)
class AliasProblem:
    """What is wrong at a place of the document, both sanitised; `place` is empty for all of it."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


@dataclass(frozen=True, slots=True)
class AliasDocument:
    """The aliases that name an image, in the document's order, and what is wrong with it."""

    aliases: tuple[ImageAlias, ...] = ()
    problems: tuple[AliasProblem, ...] = ()


# What the documents of the vendor name, for a sample; a stamp has what its operator offers.
SAMPLE = (
    ImageAlias("UbuntuLTS", "Linux", "Canonical", "UbuntuServer", "18.04-LTS"),
    ImageAlias("CentOS", "Linux", "OpenLogic", "CentOS", "7.5"),
    ImageAlias("Debian", "Linux", "credativ", "Debian", "9"),
    ImageAlias("SLES", "Linux", "SUSE", "SLES", "12-SP4"),
    ImageAlias(
        "Win2019Datacenter", "Windows", "MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter"
    ),
    ImageAlias(
        "Win2016Datacenter", "Windows", "MicrosoftWindowsServer", "WindowsServer", "2016-Datacenter"
    ),
)


def render_aliases(aliases: Iterable[ImageAlias]) -> str:
    """Return a document of these aliases, which ends with a line break."""
    systems: dict[str, dict[str, dict[str, str]]] = {}
    for each in aliases:
        fields = {name: getattr(each, name) for name in _FIELDS}
        systems.setdefault(each.system, {})[each.name] = fields
    return json.dumps({"outputs": {"aliases": {"value": systems}}}, indent=2) + "\n"


def parse_aliases(body: bytes, redactor: Redactor) -> AliasDocument:
    """Return what a document says, and what is wrong with it. Never raises for any bytes."""
    if looks_like_html(body):
        title = page_title(body, redactor)
        return _unusable(f"it is a web page{f', {title}' if title else ''}, not the document")
    try:
        document = parse_json(body, _Object)
    except JsonError as error:
        return _unusable(f"it is not JSON: {error}")
    found, problems = document, list[AliasProblem]()
    for depth, key in enumerate(_WHERE):
        problems += _repeated(".".join(_WHERE[:depth]) or "the document", found, redactor)
        if not isinstance(found, dict) or key not in found:
            fails = f"; {_FAILS}" if isinstance(found, dict) else ""
            return _unusable(f"{'.'.join(_WHERE[: depth + 1])} is missing{fails}")
        found = found[key]
    if not isinstance(found, dict):
        return _unusable(f"{_IN_ALL} is {_type(found)}, not an object")
    if body.startswith(BOM_UTF8):
        problems.append(AliasProblem("", "it starts with a byte-order mark, which az cannot read"))
    problems += _repeated(_IN_ALL, found, redactor)
    aliases: dict[str, ImageAlias] = {}
    for key, group in found.items():
        if not key.strip():
            problems.append(AliasProblem(_IN_ALL, "has a system without a name"))
        system = redactor.sanitize(key, _LONGEST_NAME) if key.strip() else '""'
        for each in _of_system(system, group, redactor):
            if isinstance(each, AliasProblem):
                problems.append(each)
            elif known := aliases.get(each.name.lower()):
                text = f"is in {known.system} too; az takes that one"
                problems.append(AliasProblem(f"{each.system}, {each.name}", text))
            else:
                aliases[each.name.lower()] = each
    if not aliases and not problems:
        problems.append(AliasProblem("", "it has no aliases"))
    if len(problems) > _MOST:
        problems[_MOST:] = [AliasProblem("", f"and {len(problems) - _MOST:,} more")]
    return AliasDocument(tuple(aliases.values()), tuple(problems))


def _unusable(text: str) -> AliasDocument:
    return AliasDocument(problems=(AliasProblem("", text),))


def _of_system(
    system: str, group: object, redactor: Redactor
) -> Iterator[ImageAlias | AliasProblem]:
    """Yield the aliases of an operating system, and what is wrong with them."""
    if not isinstance(group, dict):
        yield AliasProblem(system, f"is {_type(group)}, not an object of aliases")
        return
    yield from _repeated(system, group, redactor)
    for key, image in group.items():
        if not key.strip():
            yield AliasProblem(system, "has an alias without a name")
            continue
        name = redactor.sanitize(key, _LONGEST_NAME)
        place = f"{system}, {name}"
        if not isinstance(image, dict):
            yield AliasProblem(place, f"is {_type(image)}, not an object")
            continue
        yield from _repeated(place, image, redactor)
        wrong = {each: text for each in _FIELDS if (text := _wrong(image, each))}
        yield from (AliasProblem(place, f"{each} {text}") for each, text in wrong.items())
        # An alias without an architecture names an image all the same.
        if not wrong.keys() - {"architecture"}:
            known = {each: image[each] for each in _FIELDS if each not in wrong}
            yield replace(ImageAlias(name, system, "", "", "", architecture=""), **known)


def _wrong(image: Mapping[str, object], field: str) -> str:
    """Return what is wrong with a field of an image, and what az does then; empty if nothing is."""
    if field not in image:
        return f"is missing; {_FAILS}"
    if not isinstance(value := image[field], str):
        said = f"is {_type(value)}, not a text"
        if field == "architecture":  # az lists it all the same
            return said
        kind = "dict" if isinstance(value, dict) else type(value).__name__
        return f"{said}; {_CANNOT_JOIN.format(_FIELDS.index(field), kind)}"
    if not value.strip():
        return "is empty"
    return "" if _PART.fullmatch(value) else "is nothing that an image can have"


class _Object(dict[str, object]):
    """An object of the document, with the keys that stand in it more than once."""

    def __init__(self, pairs: Sequence[tuple[str, object]]) -> None:
        super().__init__(pairs)
        times = Counter(key for key, _ in pairs) if len(pairs) > len(self) else {}
        self.repeated = [key for key, number in times.items() if number > 1]


def _repeated(place: str, found: object, redactor: Redactor) -> Iterator[AliasProblem]:
    for key in found.repeated if isinstance(found, _Object) else ():
        name = redactor.sanitize(key, _LONGEST_NAME)
        yield AliasProblem(place, f"has {name} more than once; az takes the last one")


def _type(value: object) -> str:
    names = {_Object: "an object", list: "a list", str: "a text", bool: "a truth value"}
    return "null" if value is None else names.get(type(value), "a number")
