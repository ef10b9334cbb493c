"""The edge at which text from the network becomes harmless.

Escape sequences, control characters, bidirectional overrides and line breaks are written out as
visible escapes, and anything that looks like a credential is replaced. What leaves here is one
line of plain text; whoever shows it must still show it as text, never as markup.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata

REDACTED = "[redacted]"
# How many times its limit of a text is looked at, as white space is joined before it is cut.
WINDOW = 16
# Of a body, so much is searched for secrets: far more than could be shown of it, so that none is
# split by this cut and then shown in part.
EXCERPTED = 1024 * 1024
# Categories that a terminal may act on or that can reorder what the eye reads: control, format
# (bidi overrides, zero-width joiners, tags), surrogates, private use, line and paragraph breaks.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Where a JWS or JWE in compact form can be (RFC 7515 section 3.1). Possessive, and matching every
# word whole, so that no text takes more than linear time.
_DOTTED_WORD = re.compile(r"[\w.-]++")
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


def _without_token(word: re.Match[str]) -> str:
    # base64url of `{"` is `eyJ`; a header is longer than that, and has a dot after it.
    start = word[0].find("eyJ")
    found = start >= 0 and word[0].find(".", start + 11) >= 0
    return word[0][:start] + REDACTED if found else word[0]


def _echoes(secret: str) -> re.Pattern[str]:
    """Matches a secret in the ways in which a server may echo it: in text, URLs, JSON and HTML."""
    return re.compile("".join(map(_echoes_of, secret)))


def _echoes_of(char: str) -> str:
    if char.isascii() and (char.isalnum() or char in "-._~"):  # what no encoding changes
        return re.escape(char)
    url = "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
    number = ord(char)
    ways = {char, url, url.lower(), json.dumps(char)[1:-1], html.escape(char)}
    ways |= {f"\\u{number:04x}", f"\\u{number:04X}", f"&#{number};", f"&#x{number:X};"}
    if char == " ":
        ways.add("+")
    return f"(?:{'|'.join(re.escape(way) for way in sorted(ways, key=len, reverse=True))})"


class Cleaner:
    """Cleans text for display and removes known secrets from it.

    One belongs to each check; `hide` is told every secret and token the check gets to know, so
    that a server that echoes them cannot have them shown.
    """

    def __init__(self) -> None:
        self._secrets: dict[str, re.Pattern[str]] = {}

    def hide(self, secret: str) -> None:
        """Never let `secret` through again, plain or encoded. Short ones are too common."""
        if len(secret) >= 4:
            self._secrets[secret] = _echoes(secret)

    def line(self, text: str, limit: int = 400) -> str:
        """`text` as one harmless line of at most `limit` characters."""
        # A secret is looked for in the whole text, before the cut could split it. The rest works
        # on what could still be shown: a hostile text may have megabytes.
        text = self._redacted(text)[: limit * WINDOW]
        if any(mark in text for mark in "=:"):
            text = _CREDENTIAL.sub(rf"\1{REDACTED}", text)
        if "eyJ" in text:
            text = _DOTTED_WORD.sub(_without_token, text)
        if "\n" in text or "\t" in text:
            # Again: joined lines may make a secret that no line held.
            text = self._redacted(" ".join(text.split()))
        shown = visible(text[: limit + 1])
        return shown if len(shown) <= limit else shown[: limit - 1] + "…"

    def excerpt(self, body: bytes, limit: int = 400) -> str:
        """The beginning of a body as one harmless line; undecodable bytes are marked."""
        return self.line(body[:EXCERPTED].decode("utf-8-sig", "replace").strip(), limit)

    def _redacted(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = self._secrets[secret].sub(REDACTED, text)
        return text
