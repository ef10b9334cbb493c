"""Any bytes give a JSON value or a JsonError."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.text.sanitize import Redactor
from stacktui.transport.arm_error import read_arm_error
from stacktui.transport.json_body import JsonError, parse_json

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(_JSON, st.booleans())
def test_json_is_read_with_and_without_a_mark(value: object, mark: bool) -> None:
    body = json.dumps(value).encode()
    assert parse_json(b"\xef\xbb\xbf" + body if mark else body) == value


@pytest.mark.parametrize(
    ("body", "message", "position"),
    [
        (b"", "the answer is empty", 0),
        (b" \r\n", "the answer is empty", 0),
        (b"\xef\xbb\xbf", "Expecting value: character 0 of 0", 0),
        (b'{"a": 1', "Expecting ',' delimiter: character 7 of 7", 7),
        (b'{"\xff"}', "not UTF-8 at byte 2 of 5", 2),
        (b"[" * 200_000, "nested too deeply", 0),
        (b"9" * 5000, "a number of absurd length", 0),
    ],
)
def test_what_is_no_json_says_why(body: bytes, message: str, position: int) -> None:
    with pytest.raises(JsonError) as caught:
        parse_json(body)
    assert (str(caught.value), caught.value.position) == (message, position)


@given(
    st.binary(max_size=60)
    | st.text('{}[]",:.0123456789eE+-tru\\u \x00', max_size=40).map(str.encode)
)
def test_any_bytes_give_a_value_or_an_error(body: bytes) -> None:
    try:
        parse_json(body)
        position = 0
    except JsonError as error:
        position = error.position
    assert 0 <= position <= len(body)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"error": {"code": "A", "message": "b"}}, ("A", "b")),
        ({"error": {"code": "\x1b[1m", "message": "a\nb"}}, (r"\x1b[1m", "a b")),
        ({"error": {"code": 5, "message": None}}, ("", "")),
        ({"error": {"code": "A"}}, ("A", "")),
        ({"error": "text"}, ("", "")),
        ({"Message": "x"}, ("", "")),
        ([], ("", "")),
        ("x", ("", "")),
    ],
)
def test_arms_errors_are_read_where_they_are(document: object, expected: tuple[str, str]) -> None:
    assert read_arm_error(json.dumps(document).encode(), Redactor()) == expected


@given(st.binary(max_size=60) | _JSON.map(lambda each: json.dumps({"error": each}).encode()))
def test_any_body_gives_a_code_and_a_message(body: bytes) -> None:
    code, message = read_arm_error(body, Redactor())
    assert code.isprintable()
    assert message.isprintable()
    assert len(code) <= 80


def test_the_caller_may_make_its_own_objects_of_the_pairs() -> None:
    assert parse_json(b'{"a": {"b": 1, "b": 2}}') == {"a": {"b": 2}}
    assert parse_json(b'{"a": {"b": 1, "b": 2}}', list) == [("a", [("b", 1), ("b", 2)])]
