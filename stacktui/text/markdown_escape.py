"""Text of anybody's inside Markdown, that only reads as text wherever the document is shown.

GitHub-flavoured Markdown makes links of bare URLs, host names and mail addresses, and GitHub of
`@names`, `#numbers` and commits besides: no backslash stops those. Inside code nothing of that is
looked for. So plain words stay as they are, and everything else becomes a code span.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stacktui.text.sanitize import visible

# A word that no dialect of Markdown gives a meaning to.
_PLAIN = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*|[0-9]{1,6}|[→–—×…]")
# What may stand around a word. Without what is in it, no bracket, quote or stop means anything.
_AROUND = re.compile(r'([("“‘]*)(.*?)([)"”’,.;:!?…]*)', re.DOTALL)
_BACKTICKS = re.compile(r"`+")
_NOTHING = "–"


def inert(text: str) -> str:
    """`text` as one line of prose: words, and code spans for what is not just a word."""
    parts: list[str] = []
    run: list[str] = []  # neighbours that become one span

    def close(after: str = "") -> None:
        if run:
            parts.append(code(" ".join(run)) + after)
            run.clear()

    for word in visible(text).split(" "):
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
    """`text` as a code span, marked by a run of backticks that it does not hold."""
    text = visible(text)
    if not text.strip(" "):
        return _NOTHING
    runs = {len(run) for run in _BACKTICKS.findall(text)}
    mark = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    # One blank on each side is taken away again (CommonMark section 6.1).
    blank = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{mark}{blank}{text}{blank}{mark}"


def fenced(language: str, text: str) -> list[str]:
    """`text` as the lines of a code block whose fence no run of backticks in it can close."""
    lines = [visible(each) for each in text.split("\n")]
    longest = max((len(run) for each in lines for run in _BACKTICKS.findall(each)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]


def row(*cells: str) -> str:
    """One line of a table, of cells that are Markdown already.

    A bar would end a cell, even in a code span; a backslash before it is taken away again there.
    """
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [row(*heads), row(*["---"] * len(heads)), *(row(*each) for each in rows)]
