"""HTTP requests and responses, as the stamp's services see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from urllib.parse import parse_qsl, unquote, urlsplit

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Delivery(Enum):
    """What the connection does with a response."""

    COMPLETE = auto()
    NEVER = auto()
    """Send nothing and keep the connection open."""
    RESET = auto()
    """Send half of the response, then reset the connection."""
    ABORTED = auto()
    """Reset the connection without a response."""
    CLOSED = auto()
    """Close the connection without a response."""


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. `path` is percent-decoded, names in `query` and `headers` lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def parse(
        cls, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Request:
        """Parse a request target (RFC 9112 section 3.2); ValueError when it is not a URL."""
        parts = urlsplit(target)
        query: dict[str, str] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100):
            query.setdefault(name.lower(), value)
        return cls(method, unquote(parts.path), query, headers, body)

    def form(self) -> dict[str, str]:
        """Return the body as a form; empty when it is none (more than 100 fields, not UTF-8)."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=100))
        except ValueError:
            return {}


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response. Content-Length and Date are added when it is sent."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] | None = None
    delivery: Delivery = Delivery.COMPLETE

    def with_headers(self, **headers: str) -> Response:
        """Return the response with headers added; `_` in a name stands for `-`."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**(self.headers or {}), **added})


def json_response(
    status: int, document: object, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response with `document` as compact JSON."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return Response(status, body, JSON, headers)


def html_page(status: int, title: str, body: str) -> Response:
    """Return an HTML page; `title` and `body` are markup that the caller has escaped."""
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{body}</body></html>\n"
    return Response(status, page.encode(), HTML)
