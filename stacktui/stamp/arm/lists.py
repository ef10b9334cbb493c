"""`$filter`, `$top`, `$skiptoken`: the lists of ARM and their pages (PROTOCOL.md section 4)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.manager import ResourceManager
from stacktui.stamp.messages import Request, Response, json_response

_CLAUSE = re.compile(
    r"\s*(?:(?P<call>[a-z]+)\(\s*(?:'(?P<argument>(?:[^']|'')*)')?\s*\)"
    r"|(?P<name>[a-z]+)\s+eq\s+'(?P<value>(?:[^']|'')*)')\s*",
    re.IGNORECASE,
)
_AND = re.compile(r"and\s", re.IGNORECASE)


def values(documents: Sequence[Mapping[str, object]]) -> Response:
    """Return a list that ARM does not page."""
    return json_response(200, {"value": documents})


def page(manager: ResourceManager, request: Request, found: Sequence[Any]) -> tuple[Any, str]:
    """Return the rows of the requested page, and the absolute link to the next one, or "".

    CloudError for a `$top` or `$skiptoken` that is none.
    """
    top, token = request.query.get("$top"), request.query.get("$skiptoken")
    if top is not None and not re.fullmatch(r"[1-9][0-9]{0,3}", top):
        raise CloudError(Code.TOP, top=top)
    size = min(int(top), manager.options.page_size) if top else manager.options.page_size
    start = decode_skip_token(token) if token else 0
    end = start + size
    return found[start:end], next_link(manager, request, end) if end < len(found) else ""


def paged(manager: ResourceManager, request: Request, found: Sequence[Any]) -> Response:
    """Return a page of documents."""
    rows, link = page(manager, request, found)
    return page_response(rows, link)


def page_response(rows: Iterable[object], link: str) -> Response:
    """Return rows, with an absolute nextLink while there are more."""
    document: dict[str, object] = {"value": list(rows)}
    return json_response(200, document | ({"nextLink": link} if link else {}))


def next_link(manager: ResourceManager, request: Request, offset: int) -> str:
    kept = {name: value for name, value in request.query.items() if name != "$skiptoken"}
    kept["$skiptoken"] = encode_skip_token(offset)
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in kept.items())
    return f"{manager.hosts.arm}{quote(request.path)}?{query}"


def clauses(request: Request, *names: str) -> dict[str, str]:
    """Return the values of a `$filter` by lower-case name, empty without one.

    The filter is clauses `name eq 'value'` and `name('value')`, joined by `and`; CloudError for
    another form, or for a name that is not among `names`.
    """
    text = (request.query.get("$filter") or "").strip()
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        if position:
            joint = _AND.match(text, position)
            position = joint.end() if joint else position
        match = _CLAUSE.match(text, position)
        name = ((match["name"] or match["call"]) if match else "").lower()
        if match is None or name not in names:
            raise CloudError(Code.FILTER, filter=text[:200])
        found[name] = (match["value"] or match["argument"] or "").replace("''", "'")
        position = match.end()
    return found


def tagged(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether tags satisfy the `tagName` and `tagValue` of a filter; names have no case."""
    name = wanted.get("tagname")
    if name is None:
        return True
    value = next((found for key, found in tags.items() if key.lower() == name.lower()), None)
    return value is not None and wanted.get("tagvalue") in (None, value)


def encode_skip_token(offset: int) -> str:
    """Return the `$skiptoken` of the page that starts at `offset`."""
    return base64.urlsafe_b64encode(f"rows:{offset}".encode()).decode().rstrip("=")


def decode_skip_token(token: str) -> int:
    """Return the offset of a `$skiptoken`; CloudError when it is not one of ours."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        raise CloudError(Code.SKIP_TOKEN) from None
    match = re.fullmatch(r"rows:([0-9]{1,6})", text)
    if match is None:
        raise CloudError(Code.SKIP_TOKEN)
    return int(match[1])
