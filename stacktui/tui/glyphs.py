"""The symbols on the screen: one set each for Unicode, the Linux console and ASCII."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of symbols. `frame` has the corners clockwise from top left, then `-` and `|`.

    `replaced` maps code points that the terminal cannot show to text that it can; with
    `ascii_only` any other non-ASCII character becomes a question mark.
    """

    ok: str
    failed: str
    warning: str
    skipped: str
    pending: str
    running: str
    cursor: str
    active: str
    ellipsis: str
    dot: str
    down: str
    prompt: str
    branch: str
    block: str
    frame: str
    replaced: Mapping[int, str]
    ascii_only: bool = False

    def adapt(self, text: str) -> str:
        """Return `text` in characters that this terminal can show."""
        if text.isascii() or not self.replaced:
            return text
        text = text.translate(self.replaced)
        return text.encode("ascii", "replace").decode() if self.ascii_only else text


_TYPOGRAPHY = str.maketrans(
    {"…": "...", "–": "-", "—": "-", "·": "-", "→": "->", "×": "x", "≥": ">=", "\u00a0": " "}
    | dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("‘’‚", "'")
)

UNICODE = Glyphs(
    ok="✓",
    failed="✗",
    warning="!",
    skipped="–",
    pending="·",
    running="›",
    cursor="▸",
    active="●",
    ellipsis="…",
    dot=" · ",
    down="↓",
    prompt="▏",
    branch="└",
    block="█",
    frame="╭╮╯╰─│",
    replaced={},
)
# The Linux console font has box drawing, but no ticks, round corners or small arrows.
CONSOLE = Glyphs(
    ok="+",
    failed="x",
    warning="!",
    skipped="-",
    pending=".",
    running=">",
    cursor=">",
    active="*",
    ellipsis="~",
    dot=" - ",
    down="v",
    prompt="_",
    branch="└",
    block="█",
    frame="┌┐┘└─│",
    replaced=_TYPOGRAPHY,
)
ASCII = Glyphs(
    ok="+",
    failed="x",
    warning="!",
    skipped="-",
    pending=".",
    running=">",
    cursor=">",
    active="*",
    ellipsis="~",
    dot=" - ",
    down="v",
    prompt="_",
    branch="`",
    block="#",
    frame="++++-|",
    replaced=_TYPOGRAPHY,
    ascii_only=True,
)


def glyphs_for(environ: Mapping[str, str]) -> Glyphs:
    """Return the richest set that the terminal and the locale can show.

    `STACKTUI_ASCII=1` forces plain ASCII and `STACKTUI_ASCII=0` the full set.
    """
    match environ.get("STACKTUI_ASCII", ""):
        case "":
            pass
        case "0":
            return UNICODE
        case _:
            return ASCII
    if not _locale_is_utf8(environ):
        return ASCII
    return CONSOLE if environ.get("TERM") == "linux" else UNICODE


def _locale_is_utf8(environ: Mapping[str, str]) -> bool:
    if sys.platform == "win32":
        return True
    ctype = environ.get("LC_CTYPE", "")
    # Python sets this itself when it is started in the C locale (PEP 538).
    if ctype == "C.UTF-8" and environ.get("LANG", "") in ("", "C", "POSIX"):
        ctype = ""
    locale = environ.get("LC_ALL") or ctype or environ.get("LANG", "")
    return "utf8" in locale.lower().replace("-", "")
