"""Requests that somebody writes himself: the path below ARM's origin, and the body."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote, urlsplit

from stacktui.transport.host import origin_of
from stacktui.transport.json_body import JsonError, parse_json

# The most bytes of a body: ARM takes no more.
MAX_BODY = 4 * 1024 * 1024
READS = frozenset({"GET", "HEAD"})
METHODS = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")


def own_path(arm: str, given: str) -> str:
    """Return the path and query that are meant: of a path, or of a whole URL of ARM's origin.

    Raises ValueError, with the reason, for whatever might lead elsewhere: another origin, a host or
    a user name in the path, `.` and `..` in any encoding, a backslash or a control character.
    """
    if not given.isprintable() or "\\" in given or "#" in given:
        raise ValueError("it has a control character, a backslash or a #")
    path = given
    if not given.startswith("/"):
        own = origin_of(arm)
        if origin_of(given) != own or "@" in urlsplit(given).netloc:
            raise ValueError(f"it is neither a path, which begins with /, nor a URL of {arm}")
        parts = urlsplit(given)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    plain = unquote(path.partition("?")[0])
    if plain.startswith("//"):
        raise ValueError("it names a host")
    if not plain.isprintable() or not {".", ".."}.isdisjoint(re.split(r"[/\\]", plain)):
        raise ValueError("it has a segment . or .., or a control character")
    return path


def json_body(content: bytes) -> bytes:
    """Return a body to send as it is, without a byte-order mark. Raises ValueError if no JSON."""
    if len(content) > MAX_BODY:
        raise ValueError(f"it has over {MAX_BODY:,} bytes")
    try:
        value = parse_json(content)
    except JsonError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:  # what Python takes beside JSON
        raise ValueError("it is not JSON: NaN, or a number out of range") from None
    return content.removeprefix(b"\xef\xbb\xbf")
