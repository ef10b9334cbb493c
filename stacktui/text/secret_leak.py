"""Finding fragments of a secret in a server's text, however encoded.

A server may echo a secret encoded in ways that no list of patterns foresees. So both are reduced to
one plain form, which is searched for short fragments of the secret.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

# Letters and digits of a fragment. Fewer occur in any text by chance.
FRAGMENT = 8
# Any PIECE characters of a text hold a window of this many that starts at a multiple of _STEP.
_WINDOW, _STEP = 4, 5
_NOT_PLAIN = re.compile(r"[\W_]+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
# Base64 or base64url of at least one fragment, with whatever precedes it; not a GUID.
_RUN = re.compile(r"(?![0-9a-fA-F-]++(?![A-Za-z0-9+/_]))[A-Za-z0-9+/_-]{11,}+")
# At least one fragment in hexadecimal.
_HEX = re.compile(r"[0-9a-fA-F]{16,}+")
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class SecretFragments:
    """Secrets in plain form, to find any PIECE characters of them in a text.

    `windows` are all substrings of _WINDOW characters, for a quick first test: a text without one
    of them contains no fragment.
    """

    secrets: tuple[str, ...] = ()
    windows: frozenset[str] = frozenset()

    def with_secret(self, secret: str) -> SecretFragments:
        """Return these with one more secret, unless it is too short.

        A token's header (RFC 7515 section 4) is left out: it is the same in all tokens.
        """
        header, _, rest = secret.partition(".")
        plain = _plain(rest if header.startswith("eyJ") else secret)
        if len(plain) < FRAGMENT:
            return self
        return SecretFragments((*self.secrets, plain), self.windows.union(_cut(plain, _WINDOW, 1)))

    def leaked_in(self, text: str) -> bool:
        """Return whether `text`, which the caller must bound, has a fragment, even reversed."""
        # No encoding of a fragment is shorter than the fragment.
        if not self.secrets or len(text) < FRAGMENT:
            return False
        plains = (_plain(view) for view in _views(text))
        return any(self._found_in(plain) or self._found_in(plain[::-1]) for plain in plains)

    def _found_in(self, plain: str) -> bool:
        if self.windows.isdisjoint(_cut(plain, _WINDOW, _STEP)):
            return False
        fragments = _cut(plain, FRAGMENT, 1)
        return any(fragment in secret for fragment in fragments for secret in self.secrets)


def _cut(text: str, size: int, step: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text) - size + 1, step)]


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub("", text.casefold())


def _views(text: str) -> Iterator[str]:
    """Yield the text as it is, decoded once and twice, and the content of its base64 and hex."""
    seen = [text]
    for _ in range(2):
        seen.append(_decoded(seen[-1]))
    for view in dict.fromkeys(seen):
        yield view
        if runs := _RUN.findall(view):
            yield " ".join(_from_base64(run) for run in runs)
        if runs := _HEX.findall(view):
            yield " ".join(_from_hex(run) for run in runs)


def _decoded(text: str) -> str:
    if "%" in text:
        text = unquote(text)
    if "&" in text:
        import html

        text = html.unescape(text)
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    return text


def _from_base64(run: str) -> str:
    # Letters may precede it, so the groups of four may start at any of four offsets.
    run = run.translate(_URL_SAFE)
    ways = (run[start : start + (len(run) - start) // 4 * 4] for start in range(4))
    return " ".join(b64decode(way).decode(errors="replace") for way in ways)


def _from_hex(run: str) -> str:
    # A digit may precede it.
    ways = (run[start : start + (len(run) - start) // 2 * 2] for start in range(2))
    return " ".join(bytes.fromhex(way).decode(errors="replace") for way in ways)
