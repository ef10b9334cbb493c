"""The edge at which text from the network becomes harmless.

Escape sequences, control characters, bidirectional overrides and line breaks are written out as
visible escapes, and anything that looks like a credential is replaced. What leaves here is one
line of plain text; whoever shows it must still show it as text, never as markup.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
# Categories that a terminal may act on or that can reorder what the eye reads: control, format
# (bidi overrides, zero-width joiners, tags), surrogates, private use, line and paragraph breaks.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# A JWS or JWE in compact form (RFC 7515 section 3.1): base64url of `{"` is `eyJ`.
_TOKEN = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){1,4}")
# A field of a form or of JSON whose value must never be shown, whoever sent it.
_CREDENTIAL = re.compile(
    r"""(?ix) (\b(?:client_secret|client_assertion|password|access_token|refresh_token|id_token
        |assertion|device_code)\b ["']? \s* [:=] \s* ["']?) ([^\s"'&,}]+)"""
)


def visible(text: str) -> str:
    """Write every unsafe character of `text` as an escape (`\\x1b`, `\\u202e`, `\\n`)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _is_unsafe(char) else char for char in text)


def _is_unsafe(char: str) -> bool:
    return unicodedata.category(char) in _UNSAFE_CATEGORIES


def _escape(char: str) -> str:
    match char:
        case "\n":
            return "\\n"
        case "\r":
            return "\\r"
        case "\t":
            return " "
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Cleaner:
    """Cleans text for display and removes known secrets from it.

    One belongs to each check; `hide` is told every secret and token the check gets to know, so
    that a server that echoes them cannot have them shown.
    """

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def hide(self, secret: str) -> None:
        """Never let `secret` through again, plain or URL-encoded. Short ones are too common."""
        if len(secret) >= 4:
            self._secrets.update({secret, quote(secret, safe=""), quote_plus(secret)})

    def line(self, text: str, limit: int = 400) -> str:
        """`text` as one harmless line of at most `limit` characters."""
        # A secret is looked for in the whole text, before the cut could split it.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, REDACTED)
        if any(mark in text for mark in "=:"):
            text = _CREDENTIAL.sub(rf"\1{REDACTED}", text)
        if "eyJ" in text:
            text = _TOKEN.sub(REDACTED, text)
        shown = visible(" ".join(text.split())) if "\n" in text or "\t" in text else visible(text)
        return shown if len(shown) <= limit else shown[: limit - 1] + "…"

    def excerpt(self, body: bytes, limit: int = 400) -> str:
        """The beginning of a body as one harmless line; undecodable bytes are marked."""
        return self.line(body[: limit * 16].decode("utf-8-sig", "replace").strip(), limit)
