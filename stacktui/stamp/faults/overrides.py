"""How a fault changes an answer: small makers that the fault table is written with.

Each maker returns a `ResponseOverride`, a function of the request, the honest response and
the `OverrideContext`, giving the response that is sent instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from uuid import uuid4

from stacktui.stamp.messages import Delivery, Request, Response, html_page, json_response


@dataclass(frozen=True, slots=True)
class OverrideContext:
    """Values that an error message or a changed document needs to be a real one."""

    arm: str
    subscription: str
    timestamp: str
    previous_requests: int = 0
    """Requests of the same routes that were answered before."""


ResponseOverride = Callable[[Request, Response, OverrideContext], Response]


def html(status: int, title: str, text: str) -> ResponseOverride:
    """An HTML page instead of the answer, `text` in its heading."""
    heading = f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"
    return lambda _request, _response, _context: html_page(status, escape(title), heading)


def arm_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> ResponseOverride:
    """An error in ARM's form (PROTOCOL.md section 4).

    `{subscription}`, `{timestamp}` and `{tracking}` in the message are filled in.
    """

    def change(_request: Request, response: Response, context: OverrideContext) -> Response:
        text = message.format(
            subscription=context.subscription, timestamp=context.timestamp, tracking=uuid4()
        )
        kept = {**(response.headers or {}), **(headers or {})}
        return json_response(status, {"error": {"code": code, "message": text}}, kept)

    return change


def oauth_error(
    status: int, error: str, description: str, headers: Mapping[str, str] | None = None
) -> ResponseOverride:
    """An error in OAuth's form (RFC 6749 section 5.2)."""
    document = {"error": error, "error_description": description}
    return lambda _request, _response, _context: json_response(status, document, headers)


def edit_json(edit: Callable[[Any, Request, OverrideContext], object]) -> ResponseOverride:
    """The honest document, changed; a refusal is left as it is.

    `edit` gets the parsed JSON and may change it in place, or return another document.
    """

    def change(request: Request, response: Response, context: OverrideContext) -> Response:
        if response.status >= 400:
            return response
        document = json.loads(response.body)
        other = edit(document, request, context)
        body = json.dumps(document if other is None else other).encode()
        return replace(response, body=body)

    return change


def truncate(length: int) -> ResponseOverride:
    """The honest body, cut after `length` bytes by whoever made it: the length header agrees."""
    return lambda _request, response, _context: replace(response, body=response.body[:length])


def pad(size: int) -> ResponseOverride:
    """The honest body, blown up to `size` bytes with white space."""
    return lambda _request, response, _context: replace(response, body=response.body.ljust(size))


def never() -> ResponseOverride:
    """No answer at all, on a connection that stays open."""
    return lambda _request, response, _context: replace(response, delivery=Delivery.NEVER)


def reset() -> ResponseOverride:
    """A TCP reset in the middle of the answer."""
    return lambda _request, response, _context: replace(response, delivery=Delivery.RESET)


def close() -> ResponseOverride:
    """No answer: the connection is closed."""
    return lambda _request, response, _context: replace(response, delivery=Delivery.CLOSED)


def redirect(location: str) -> ResponseOverride:
    """302 to another host."""
    response = Response(302, b"", headers={"Location": location})
    return lambda _request, _response, _context: response
