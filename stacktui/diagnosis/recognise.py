"""Which faults of the catalogue a pasted message can mean, and what of it was recognised.

Pure, total and linear: any text gives an answer, in a time that grows with its length alone.
Nothing of the text itself is in the answer, so that no secret in it is shown again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.sayings import SAYINGS, Saying

# Of a longer text, the end counts: that is where clients say what failed.
MAX_TEXT = 64 * 1024
# What colours a terminal's text (ECMA-48 section 5.4).
_COLOUR = re.compile(r"\x1b\[[0-9;:?]{0,32}[@-~]")
_BREAK = re.compile(r"\r?\n")
_QUOTES = str.maketrans("‘’“”\0", "''\"\" ")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fault that a message can mean; `because` are the labels of what was recognised."""

    fault: FaultInfo
    weight: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a message can mean, best first, and what else is to be said of it."""

    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.candidates or self.notes)


def decoded(raw: bytes) -> str:
    """Any bytes as text: UTF-8, or UTF-16 where a mark at its start says so.

    Windows PowerShell 5.1 writes the second into every file to which output is sent.
    """
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding, "replace")


def recognise(text: str) -> Recognised:
    """What `text` can mean, of which the last MAX_TEXT characters count."""
    folded = _folded(text[-MAX_TEXT:])
    found = [each for each in SAYINGS if _said(each, folded)]
    weights: dict[str, int] = {}
    for saying in found:
        for id_, weight in saying.means.items():
            weights[id_] = max(weights.get(id_, 0), weight)
    best = max(weights.values(), default=0)
    # What is at most half as sure as the best is no more than its echo.
    shown = {id_ for id_, weight in weights.items() if weight * 2 > best}
    candidates = [
        Candidate(each, weights[each.id], _because(found, each.id, best))
        for each in EVERY_FAULT.values()
        if each.id in shown
    ]
    candidates.sort(key=lambda each: -each.weight)
    notes = (each.note for each in found if each.note and _told(each, shown, best))
    return Recognised(tuple(candidates), tuple(dict.fromkeys(notes)))


def _folded(text: str) -> str:
    """In lower case, with single blanks; once more with the lines joined as a terminal cut them."""
    text = _COLOUR.sub("", text).lower().translate(_QUOTES)
    plain = " ".join(text.split())
    joined = " ".join(_BREAK.sub("", text).split())
    return plain if joined == plain else f"{plain}\n{joined}"


def _said(saying: Saying, text: str) -> bool:
    return all(re.search(pattern, text) for pattern in saying.patterns)


def _because(found: list[Saying], id_: str, best: int) -> tuple[str, ...]:
    labels = (each.label for each in found if each.means.get(id_, 0) * 2 > best)
    return tuple(dict.fromkeys(labels))


def _told(saying: Saying, shown: set[str], best: int) -> bool:
    """Whether a saying counts beside the others; one without ids always does."""
    return not saying.means or any(
        id_ in shown and weight * 2 > best for id_, weight in saying.means.items()
    )
