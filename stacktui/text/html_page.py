"""Recognising an HTML page that came in place of another document."""

from __future__ import annotations

import html
import re
from codecs import BOM_UTF8

from stacktui.text.sanitize import Redactor

_TITLE_START = re.compile(r"<title", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
# HTML, head and body may be left out (HTML section 13.1.2.4).
_HTML_STARTS = (
    b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<meta", b"<title"
)  # fmt: skip


def looks_like_html(body: bytes) -> bool:
    """Return whether a body is an HTML page, whatever its Content-Type."""
    start = body.lstrip().removeprefix(BOM_UTF8).lstrip()[:64].lower()
    return start.startswith(_HTML_STARTS)


def page_title(body: bytes, redactor: Redactor) -> str | None:
    """Return the title of an HTML page, sanitised."""
    page = body[:65536].decode("utf-8", "replace")
    start = _TITLE_START.search(page)
    # Only at the first one: a page full of them would take quadratic time.
    found = _TITLE.match(page, start.start()) if start else None
    # Cut first: html.unescape raises ValueError for a number of thousands of digits.
    return (
        redactor.sanitize_untrusted(html.unescape(found[1].strip()[:1000]), 120) if found else None
    )
