"""The document of VM image aliases: what it says, what is wrong with it, and writing one."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.environments.alias_document import (
    SAMPLE,
    AliasDocument,
    ImageAlias,
    parse_aliases,
    render_aliases,
)
from stacktui.text.sanitize import Redactor
from tests.support.draws import draws

IMAGE = {
    "publisher": "Canonical",
    "offer": "UbuntuServer",
    "sku": "18.04-LTS",
    "version": "latest",
    "architecture": "x64",
}


def parsed(systems: object) -> AliasDocument:
    document = {"outputs": {"aliases": {"value": systems}}}
    return parse_aliases(json.dumps(document).encode(), Redactor())


def problems(systems: object) -> list[str]:
    return [str(each) for each in parsed(systems).problems]


def test_an_alias_names_an_image() -> None:
    found = parsed({"Linux": {"UbuntuLTS": IMAGE}})
    (alias,) = found.aliases
    assert found.problems == ()
    assert alias == ImageAlias("UbuntuLTS", "Linux", "Canonical", "UbuntuServer", "18.04-LTS")
    assert alias.urn == "Canonical:UbuntuServer:18.04-LTS:latest"


def test_what_is_written_is_read_again() -> None:
    text = render_aliases(SAMPLE)
    assert parse_aliases(text.encode(), Redactor()) == AliasDocument(SAMPLE)
    assert text.endswith("}\n")


def test_a_missing_architecture_is_said_with_what_az_does() -> None:
    without = {key: value for key, value in IMAGE.items() if key != "architecture"}
    found = parsed({"Linux": {"UbuntuLTS": without}})
    (problem,) = found.problems
    assert problem.place == "Linux, UbuntuLTS"
    assert problem.text.startswith("architecture is missing")
    assert "Could not retrieve image list from … or local copy" in problem.text
    assert [(each.name, each.architecture) for each in found.aliases] == [("UbuntuLTS", "")]


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "null"), (5, "a number"), (True, "a truth value"), ([], "a list"), ({}, "an object"),
     ("", "empty"), (" ", "empty"), ("..", "can have"), ("a/b", "can have"), ("a:b", "can have"),
     ("a?b", "can have"), ("\x1b[2J", "can have"), ("x" * 500, "can have")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["publisher", "offer", "sku", "version"])
def test_a_part_of_the_urn_that_no_image_has(key: str, value: object, said: str) -> None:
    found = parsed({"Linux": {"A": IMAGE | {key: value}, "B": IMAGE}})
    (problem,) = found.problems
    assert problem.place == "Linux, A"
    assert problem.text.startswith(f"{key} is ")
    assert said in problem.text
    assert [each.name for each in found.aliases] == ["B"]


@pytest.mark.parametrize(
    ("key", "place"), [("publisher", 0), ("offer", 1), ("sku", 2), ("version", 3)]
)
@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "NoneType"), (5, "int"), (1.5, "float"), (True, "bool"), ([], "list"), ({}, "dict")],
)
def test_what_az_says_of_a_part_that_is_no_text(
    key: str, place: int, value: object, kind: str
) -> None:
    (problem,) = parsed({"Linux": {"A": IMAGE | {key: value}}}).problems
    assert f"sequence item {place}: expected str instance, {kind} found" in problem.text
    assert "Could not retrieve" not in problem.text


def test_az_takes_an_architecture_of_null() -> None:
    found = parsed({"Linux": {"A": IMAGE | {"architecture": None}}})
    assert [str(each) for each in found.problems] == ["Linux, A: architecture is null, not a text"]
    assert [each.architecture for each in found.aliases] == [""]


def repeating(text: str) -> AliasDocument:
    """Return what a text of JSON says in which IMAGE stands for the object of an image."""
    return parse_aliases(text.replace("IMAGE", json.dumps(IMAGE)).encode(), Redactor())


INSIDE = '{"outputs": {"aliases": {"value": %s}}}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (INSIDE % '{"Linux": {"A": {}, "A": IMAGE}}', "Linux: has A more than once"),
        (
            INSIDE % '{"Linux": {"A": {"sku": "x", "sku": "y", %s}}}' % json.dumps(IMAGE)[1:-1],
            "Linux, A: has sku more than once",
        ),
        (
            INSIDE % '{"Linux": {"B": IMAGE}, "Linux": {"A": IMAGE}}',
            "outputs.aliases.value: has Linux more than once",
        ),
        (
            '{"outputs": {"aliases": {"value": {}, "value": {"Linux": {"A": IMAGE}}}}}',
            "outputs.aliases: has value more than once",
        ),
        (
            '{"outputs": {}, ' + (INSIDE % '{"Linux": {"A": IMAGE}}')[1:],
            "the document: has outputs more than once",
        ),
    ],
)
def test_a_key_that_stands_there_twice_is_said(text: str, said: str) -> None:
    """JSON has both, and az takes the last."""
    found = repeating(text)
    assert [(each.name, each.urn) for each in found.aliases] == [
        ("A", "Canonical:UbuntuServer:18.04-LTS:latest")
    ]
    assert [str(each) for each in found.problems] == [f"{said}; az takes the last one"]


@pytest.mark.parametrize("name", ["", " ", "\t"])
def test_an_empty_name_is_said(name: str) -> None:
    found = parsed({"Linux": {name: IMAGE, "A": IMAGE}})
    assert [each.name for each in found.aliases] == ["A"]
    assert [str(each) for each in found.problems] == ["Linux: has an alias without a name"]
    found = parsed({name: {"A": IMAGE}})
    assert [each.name for each in found.aliases] == ["A"]
    assert [str(each) for each in found.problems] == [
        "outputs.aliases.value: has a system without a name"
    ]


def test_an_alias_of_two_systems_is_the_first_one_s() -> None:
    found = parsed({"Linux": {"Same": IMAGE}, "Windows": {"same": IMAGE | {"sku": "other"}}})
    assert [(each.system, each.sku) for each in found.aliases] == [("Linux", "18.04-LTS")]
    assert problems({"Linux": {"Same": IMAGE}, "Windows": {"same": IMAGE}}) == [
        "Windows, same: is in Linux too; az takes that one"
    ]


@pytest.mark.parametrize(
    ("systems", "said"),
    [
        ({}, "it has no aliases"),
        ({"Linux": {}}, "it has no aliases"),
        ([], "outputs.aliases.value is a list, not an object"),
        ({"Linux": []}, "Linux: is a list, not an object of aliases"),
        ({"Linux": {"A": "Canonical:UbuntuServer"}}, "Linux, A: is a text, not an object"),
        ({"Linux": {"A": None}}, "Linux, A: is null, not an object"),
    ],
)
def test_wrong_types_have_their_place(systems: object, said: str) -> None:
    assert problems(systems) == [said]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "it is not JSON: the answer is empty"),
        (b"{", "it is not JSON: "),
        (b"\xff\xfe{\0", "it is not JSON: not UTF-8"),
        (b"[" * 100_000, "it is not JSON: nested too deeply"),
        (b"<!DOCTYPE html><title>Sign in</title>", "it is a web page, Sign in, not the document"),
        (b"[]", "outputs is missing"),
        (b'{"outputs": {}}', "outputs.aliases is missing"),
        (b'{"outputs": {"aliases": []}}', "outputs.aliases.value is missing"),
    ],
)
def test_what_is_no_document(body: bytes, said: str) -> None:
    found = parse_aliases(body, Redactor())
    assert found.aliases == ()
    assert len(found.problems) == 1
    assert str(found.problems[0]).startswith(said)


def test_what_az_says_of_no_document_is_said_where_it_is_true() -> None:
    fails = "az 2.66 fails: Could not retrieve image list from … or local copy"
    assert fails in str(parse_aliases(b"{}", Redactor()).problems[0])
    # At this it ends with a traceback.
    assert "az" not in str(parse_aliases(b"[]", Redactor()).problems[0])


def test_az_cannot_read_a_byte_order_mark() -> None:
    found = parse_aliases(b"\xef\xbb\xbf" + render_aliases(SAMPLE).encode(), Redactor())
    assert found.aliases == SAMPLE
    assert "byte-order mark" in str(found.problems[0])


def test_hostile_names_are_harmless_and_problems_are_bounded() -> None:
    found = parsed({"\x1b[2JLinux\n": {f"\u202e{number}\r": {} for number in range(200)}})
    assert len(found.problems) == 51
    assert str(found.problems[-1]) == "and 950 more"
    assert all(str(each).isprintable() for each in found.problems)
    (alias,) = parsed({"Li\nnux": {"A\x1b]0;x\x07": IMAGE}}).aliases
    assert (alias.name + alias.system).isprintable()


@settings(max_examples=draws(200), deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(body: bytes) -> None:
    found = parse_aliases(body, Redactor())
    assert found.problems or found.aliases


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(IMAGE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@settings(max_examples=draws(200), deadline=None)
@given(JSON)
def test_any_systems(systems: object) -> None:
    found = parsed(systems)
    shown = [*map(str, found.problems), *(each.name + each.system for each in found.aliases)]
    # A space of another width does no harm, and is no printable character to Python.
    assert all(char.isprintable() or category(char) == "Zs" for text in shown for char in text)
