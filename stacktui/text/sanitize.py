"""Sanitising text from outside.

Escape sequences, control characters, bidirectional overrides and line breaks become visible
escapes, and what looks like a credential is redacted. The result is one line of plain text, which
must still be shown as text, never as markup.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from functools import partial
from weakref import WeakSet

from stacktui.text.secret_leak import SecretFragments

REDACTED = "[redacted]"
HELD_BACK = "[held back: it echoed a secret]"
# The most characters of a secret that are searched for; no credential is longer.
MAX_SECRET = 16 * 1024
# The characters of a secret that are matched in all encodings; of a longer one, all that follows
# is redacted too.
_MATCHED = 256
# Characters that no encoding changes.
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
# Characters beyond the limit that are searched too, for a secret that starts before it.
_BEYOND = 128
# How many times the limit of a text is processed, as white space is collapsed before the cut.
WINDOW = 16
# The bytes of a body that are searched for secrets: far more than are shown, so that this cut does
# not split a secret that is then shown in part.
EXCERPTED = 1024 * 1024
# The most characters of a whole document that are searched for fragments of a secret, encoded in
# whatever way: who echoes a request echoes little.
_ECHO = 128 * 1024
# Categories that a terminal may act on, or that can reorder text: control, format (bidi overrides,
# zero-width joiners, tags), surrogates, private use, line and paragraph breaks.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# A word that may be a JWS or JWE in compact form (RFC 7515 section 3.1). Possessive, and of whole
# words, so that matching takes linear time.
_DOTTED_WORD = re.compile(r"[\w.-]++")
# A text of such characters holds none of the patterns below but a token, needs no escape, and has
# no secret in it but as it is: every encoding of one has another character.
_PLAIN = re.compile(r"[A-Za-z0-9._~/ -]*")
# A field of a form or of JSON whose value is always redacted, and a URL's shared access signature.
_CREDENTIAL = re.compile(
    r"""(?ix) (\b(?:client_?secret|client_?assertion|password|access_?token|refresh_?token
        |id_?token|assertion|device_?code|(?<=[?&;])sig)\b ["']? \s* [:=] \s* (?:\[\s*)? ["']?)
        ((?!\[redacted\])[^\s"'&,}\]]+)"""
)
# The user name and password of a URL (RFC 3986 section 3.2.1), in JSON with escapes too.
_USERINFO = re.compile(r"""(:(?:\\*/|\\u002[fF]){2})[^\s/?#"<>]*(@|\\u0040)""")


def escape_control_chars(text: str) -> str:
    """Return `text` with every unsafe character as an escape (`\\x1b`, `\\u202e`, `\\n`)."""
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


def redact_credentials(text: str) -> str:
    """Return `text` with what looks like a credential redacted: a field, a user name, a token."""
    if any(mark in text for mark in "=:"):
        text = _CREDENTIAL.sub(rf"\1{REDACTED}", text)
    if "://" in text or ":\\" in text:
        text = _USERINFO.sub(rf"\1{REDACTED}\2", text)
    return _DOTTED_WORD.sub(_without_token, text) if "eyJ" in text else text


def _remover(secret: str) -> Callable[[str], str]:
    """Return a function that redacts a secret, plain or as encoded in URLs, JSON and HTML."""
    if _UNRESERVED.fullmatch(secret):
        return lambda text: text.replace(secret, REDACTED)
    echoes = "".join(map(_echoes_of, secret[:_MATCHED]))
    if len(secret) > _MATCHED:
        echoes += ".*"
    return partial(re.compile(echoes, re.DOTALL).sub, REDACTED)


def _echoes_of(char: str) -> str:
    if char.isascii() and (char.isalnum() or char in "-._~"):  # what no encoding changes
        return re.escape(char)
    import html  # slow to import: an entity each, and the first frame has no secret

    url = "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
    number = ord(char)
    ways = {char, url, url.lower(), json.dumps(char)[1:-1], html.escape(char)}
    ways |= {f"\\u{number:04x}", f"\\u{number:04X}", f"&#{number};", f"&#x{number:X};"}
    if char == " ":
        ways.add("+")
    return f"(?:{'|'.join(re.escape(way) for way in sorted(ways, key=len, reverse=True))})"


# All that are in use: a crash report must hold no secret of any check.
_REDACTORS: WeakSet[Redactor] = WeakSet()


def sanitize_for_anyone(text: str, limit: int = 400) -> str:
    """Return `text` as `Redactor.sanitize_untrusted` does, without the secrets of any check."""
    for redactor in (Redactor(), *_REDACTORS):
        text = redactor.sanitize_untrusted(text, limit)
    return text


class Redactor:
    """Sanitises text for display, and redacts known secrets in it.

    Each check has one. `add_secret` is called with every secret and token of the check, in case a
    server echoes it. `sanitize_untrusted` is for what a server sent; `sanitize` is cheaper, for
    names by the thousand.
    """

    def __init__(self) -> None:
        # Replaced, never mutated: secrets are added in a worker thread.
        self._secrets: dict[str, Callable[[str], str]] = {}
        self._starts: tuple[str, ...] = ()
        self._fragments = SecretFragments()
        # Texts without any secret, as a server sends the same headers again and again.
        self._clean: set[str] = set()
        _REDACTORS.add(self)

    def add_secret(self, secret: str) -> None:
        """Redact `secret` from now on, plain or encoded; one below 4 characters is ignored.

        Blanks around it are ignored, as a server that echoes it may have dropped them.
        """
        secret = secret.strip()[:MAX_SECRET]
        if len(secret) < 4 or secret in self._secrets:
            return
        known = self._secrets | {secret: _remover(secret)}
        self._secrets = {each: known[each] for each in sorted(known, key=len, reverse=True)}
        self._starts = tuple(each[:_MATCHED] for each in self._secrets)
        self._fragments = self._fragments.with_secret(secret)
        self._clean = set()

    def sanitize(self, text: str, limit: int = 400) -> str:
        """Return `text` as one harmless line of at most `limit` characters."""
        if len(text) <= limit and _PLAIN.fullmatch(text) and "eyJ" not in text:
            for start in self._starts:
                if start in text:
                    break
            else:
                return text
        return _shown(self._without_secrets(text, limit), limit)

    def sanitize_untrusted(self, text: str, limit: int = 400) -> str:
        """Like `sanitize`, but withhold a text with a fragment of a secret, however encoded."""
        clean = self._clean
        if len(text) <= limit and text in clean:
            return text
        found = self._without_secrets(text, limit)
        if self._fragments.leaked_in(found[: limit + _BEYOND]):
            return HELD_BACK
        shown = _shown(found, limit)
        if shown == text and len(text) <= limit:
            clean.add(text)
        return shown

    def redact(self, text: str) -> str:
        """Return `text` as it is, with known secrets redacted: it is not harmless to show.

        One whose beginning has a fragment of a secret, however encoded, is withheld.
        """
        found = self._redacted(text)
        return HELD_BACK if self._fragments.leaked_in(found[:_ECHO]) else found

    def snippet(self, body: bytes, limit: int = 400) -> str:
        """Return the beginning of a body, as `sanitize_untrusted` does; marks undecodable bytes."""
        body = body.lstrip()
        text = body[:EXCERPTED].decode("utf-8-sig", "replace").strip()
        if len(body) > EXCERPTED:
            text = self._without_start_of_secret(text)
        return self.sanitize_untrusted(text, limit)

    def _without_secrets(self, text: str, limit: int) -> str:
        # Search the whole text for secrets, before a cut could split one. The rest processes only
        # what may be shown: a hostile text may have megabytes.
        text = self._redacted(text)[: limit * WINDOW]
        text = redact_credentials(text)
        if "\n" in text or "\t" in text:
            # Again: a secret may have been split over lines.
            text = self._redacted(" ".join(text.split()))
        return text

    def _redacted(self, text: str) -> str:
        for remove in self._secrets.values():
            text = remove(text)
        return text

    def _without_start_of_secret(self, text: str) -> str:
        """Return `text` without the start of a secret at its end, of which a cut took the rest."""
        for secret in self._secrets:
            for length in range(min(len(secret), len(text)), 0, -1):
                if text.endswith(secret[:length]):
                    return text[:-length]
        return text


def _shown(text: str, limit: int) -> str:
    shown = escape_control_chars(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
