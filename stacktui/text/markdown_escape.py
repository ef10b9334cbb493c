"""Escaping untrusted text for Markdown.

GitHub-flavoured Markdown turns bare URLs, host names and mail addresses into links, and GitHub also
`@names`, `#numbers` and commits; no backslash prevents that, but a code span does. So plain words
are kept, and everything else becomes a code span.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stacktui.text.sanitize import escape_control_chars

# A word that no dialect of Markdown gives a meaning to.
_PLAIN = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*|[0-9]{1,6}|[→–—×…]")
# Punctuation around a word, which has no meaning in Markdown by itself.
_AROUND = re.compile(r'([("“‘]*)(.*?)([)"”’,.;:!?…]*)', re.DOTALL)
_BACKTICKS = re.compile(r"`+")
_NOTHING = "–"


def prose(text: str) -> str:
    """Return `text` as one line of prose: plain words, and code spans for all else."""
    parts: list[str] = []
    run: list[str] = []  # adjacent words that become one span

    def close(after: str = "") -> None:
        if run:
            parts.append(code(" ".join(run)) + after)
            run.clear()

    for word in escape_control_chars(text).split(" "):
        opening, inner, closing = _split(word)
        if not word:
            continue
        if _is_plain(inner, closing):
            close()
            parts.append(word)
            continue
        if opening:
            close()
            parts.append(opening + code(inner) + closing)
        else:
            run.append(inner)
            if closing:
                close(closing)
    close()
    return " ".join(parts) or _NOTHING


def _split(word: str) -> tuple[str, str, str]:
    found = _AROUND.fullmatch(word)
    return (found[1], found[2], found[3]) if found else ("", word, "")


def _is_plain(inner: str, closing: str) -> bool:
    if inner.isdigit():
        # `1.` and `1)` begin a list.
        return bool(_PLAIN.fullmatch(inner)) and closing[:1] not in (".", ")")
    return not inner or bool(_PLAIN.fullmatch(inner))


def code(text: str) -> str:
    """Return `text` as a code span, between runs of backticks that it does not contain."""
    text = escape_control_chars(text)
    if not text.strip(" "):
        return _NOTHING
    runs = {len(run) for run in _BACKTICKS.findall(text)}
    mark = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    # A renderer strips one blank on each side (CommonMark section 6.1).
    blank = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{mark}{blank}{text}{blank}{mark}"


def fenced(language: str, text: str) -> list[str]:
    """Return `text` as the lines of a code block, with a fence that it cannot close."""
    lines = [escape_control_chars(each) for each in text.split("\n")]
    longest = max((len(run) for each in lines for run in _BACKTICKS.findall(each)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]


def row(*cells: str) -> str:
    """Return one line of a table; the cells are Markdown already.

    A bar ends a cell, even in a code span, unless there is a backslash before it.
    """
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return [row(*heads), row(*["---"] * len(heads)), *(row(*each) for each in rows)]
