"""Recognising an HTML page where a document of another kind was asked for."""

from __future__ import annotations

import html
import re
from codecs import BOM_UTF8

from stacktui.text.sanitize import Cleaner

_TITLE_START = re.compile(r"<title", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")


def looks_like_html(body: bytes) -> bool:
    """Whether a response's body is a page, as gateways and portals send it, whatever its type."""
    start = body.lstrip().removeprefix(BOM_UTF8).lstrip()[:64].lower()
    return start.startswith(_HTML_STARTS)


def page_title(body: bytes, cleaner: Cleaner) -> str | None:
    """The title of an HTML page, as one harmless line."""
    page = body[:65536].decode("utf-8", "replace")
    start = _TITLE_START.search(page)
    # Matched at the first one alone: a page full of them would take quadratic time.
    found = _TITLE.match(page, start.start()) if start else None
    # The cut keeps a number of absurd length from html.unescape, which would raise ValueError.
    return cleaner.quote(html.unescape(found[1].strip()[:1000]), 120) if found else None
