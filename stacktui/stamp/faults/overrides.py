"""Functions that make a `ResponseOverride`: what a fault sends instead of the honest response."""

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
    """Values of the running stamp that an override may need."""

    arm: str
    """Origin of the user endpoint."""
    subscription: str
    timestamp: str
    """Now, as ARM writes it in its errors."""
    previous_requests: int = 0
    """Requests that the endpoint answered before this one."""


ResponseOverride = Callable[[Request, Response, OverrideContext], Response]


def html(title: str, text: str) -> ResponseOverride:
    """200 with an HTML page, `text` under its heading."""
    heading = f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"
    return lambda *_: html_page(200, escape(title), heading)


def redirect(location: str) -> ResponseOverride:
    """302 to `location`, with a page that says so."""
    page = html_page(302, "Found", f'<a href="{escape(location)}">Found</a>')
    return lambda *_: page.with_headers(Location=location)


def arm_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> ResponseOverride:
    """An error in ARM's form (PROTOCOL.md section 4).

    `{subscription}`, `{timestamp}` and `{tracking}` in the message are filled in.
    """

    def override(_request: Request, response: Response, context: OverrideContext) -> Response:
        text = message.format(
            subscription=context.subscription, timestamp=context.timestamp, tracking=uuid4()
        )
        kept = {**(response.headers or {}), **(headers or {})}
        return json_response(status, {"error": {"code": code, "message": text}}, kept)

    return override


def oauth_error(status: int, error: str, description: str) -> ResponseOverride:
    """An error in OAuth's form (RFC 6749 section 5.2)."""
    document = {"error": error, "error_description": description}
    return lambda *_: json_response(status, document)


def edit_json(edit: Callable[[Any, Request, OverrideContext], object]) -> ResponseOverride:
    """The honest document, changed in place by `edit`; an error response stays as it is."""

    def override(request: Request, response: Response, context: OverrideContext) -> Response:
        if response.status >= 400:
            return response
        document = json.loads(response.body)
        edit(document, request, context)
        return replace(response, body=json.dumps(document).encode())

    return override


def from_second_request(override: ResponseOverride) -> ResponseOverride:
    """The honest response to the first request, `override` for all later ones."""
    return lambda request, response, context: (
        override(request, response, context) if context.previous_requests else response
    )


def truncate(length: int) -> ResponseOverride:
    """The first `length` bytes of the honest body; Content-Length agrees with them."""
    return lambda _request, response, _context: replace(response, body=response.body[:length])


def pad(size: int) -> ResponseOverride:
    """The honest body, padded to `size` bytes with white space."""
    return lambda _request, response, _context: replace(response, body=response.body.ljust(size))


def deliver(delivery: Delivery) -> ResponseOverride:
    """The honest response, delivered in another way: never, in half, or not at all."""
    return lambda _request, response, _context: replace(response, delivery=delivery)
