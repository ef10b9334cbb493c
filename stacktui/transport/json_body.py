"""Parsing a response body as JSON: any bytes in, a value or a `JsonError` out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from stacktui.errors import StacktuiError
from stacktui.text.json_fields import mapping


class JsonError(StacktuiError):
    """The bytes are not JSON. `position` is the character (or byte) at which parsing stopped."""

    def __init__(self, detail: str, position: int) -> None:
        super().__init__(detail)
        self.position = position


def parse_json(body: bytes, as_object: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return the value of a JSON text (RFC 8259), with or without a byte-order mark.

    `as_object` makes the value of an object of its pairs, which may have a key more than once; by
    default a dict, which has the last.
    """
    if not body.strip():
        raise JsonError("the answer is empty", 0)
    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=as_object)
    except json.JSONDecodeError as error:
        detail = f"{error.msg}: character {error.pos} of {len(error.doc)}"
        raise JsonError(detail, error.pos) from None
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 at byte {error.start} of {len(body)}", error.start) from None
    except RecursionError:
        raise JsonError("nested too deeply", 0) from None
    except ValueError:
        # CPython refuses integers of more than 4,300 digits.
        raise JsonError("a number of absurd length", 0) from None


def is_valid_utf8(text: str) -> bool:
    """Return whether `text` can be encoded: JSON may hold lone surrogates (`\\ud800`)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_object(body: bytes) -> Mapping[str, Any]:
    """Return the object that a JSON text is; empty where it is anything else."""
    try:
        return mapping(parse_json(body))
    except JsonError:
        return {}
