"""Each reader returns its own type, whatever is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacktui.text.json_fields import items, mapping, number, text

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**400, "", "x", "\ud800", [], [[]], {}, {"a": {}},
    float("nan"), float("inf"),
)  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("path", [(), ("a",), ("a", "b")])
def test_any_value_is_read_as_the_readers_type(value: Any, path: tuple[str, ...]) -> None:
    nested = value
    for key in reversed(path):
        nested = {key: nested}
    assert mapping(nested, *path) == (value if type(value) is dict else {})
    assert text(nested, *path) == (value if type(value) is str else "")
    assert list(items(nested, *path)) == (value if type(value) is list else [])
    assert number(nested, *path) == (value if value in (-1, 1.5) or value is ODD[3] else None)


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_a_path_through_anything_leads_to_nothing(value: Any) -> None:
    assert mapping(value, "b", "c") == {}
    assert text(value, "b") == ""
    assert list(items(value, "a", "b")) == []
    assert number([{"a": 1}], "a") is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('"3599"', 3599.0),
        ('" 5 "', 5.0),
        ("3599", 3599.0),
        ('"soon"', None),
        ('"nan"', None),
        ('"1e999"', None),
        ("true", None),
        ('"' + "9" * 5000 + '"', None),
    ],
)
def test_a_number_may_be_quoted_where_services_do_so(said: str, expected: float | None) -> None:
    document = json.loads(f'{{"expires_in": {said}}}')
    assert number(document, "expires_in", quoted=True) == expected
