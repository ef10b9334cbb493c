"""Find the faults of the catalogue that a pasted message can mean.

Pure, total and linear: any text gives a result, in time linear in its length. The result contains
nothing of the text itself, so that no secret in it is shown again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.message_pattern import MessagePattern, sign_in_code
from stacktui.diagnosis.messages.no_fault import NO_FAULT, UNKNOWN_CODES

# Only the end of a longer text is read: clients say there what failed.
MAX_TEXT = 64 * 1024
# Colour sequences of a terminal (ECMA-48 section 5.4).
_COLOUR = re.compile(r"\x1b\[[0-9;:?]{0,32}[@-~]")
_BREAK = re.compile(r"\r?\n")
# What programs that log, or draw a box around a message, put before each of its lines.
_LINE_PREFIX = re.compile(
    r"^[ \t]{0,20}(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,12}Z?\]?[ \t]{0,8})?"
    r"(?:[|│╷╵>#][ \t]?|npm err! |verbose: |remote: )?",
    re.IGNORECASE | re.MULTILINE,
)
# Escapes of JSON and of Python's repr.
_ESCAPED_BREAK = re.compile(r"(?:\\r)?\\n")
_QUOTES = str.maketrans("‘’“”`\0", "''\"\"' ")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fault that a message can mean; `because` has the labels of the matched patterns."""

    fault: FaultInfo
    weight: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a message can mean, best candidate first, and notes on it."""

    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.candidates or self.notes)


# Weights of a sign-in service's code that means one fault, and of AD FS's codes that mean
# several; each further fault of a code weighs one less.
_SOLE, _SHARED = 92, 84


def _weighted() -> dict[MessagePattern, dict[str, int]]:
    """Return every pattern of the catalogue, with the weights of the faults that it can mean."""
    faults_of = Counter(code for fault in EVERY_FAULT.values() for code in fault.codes)
    weighted: dict[MessagePattern, dict[str, int]] = defaultdict(dict)
    for fault in EVERY_FAULT.values():
        own = {pattern.code for pattern in fault.patterns}
        for code in fault.codes:
            if code in own:
                continue
            weights = weighted[sign_in_code(code)]
            weights[fault.id] = _SOLE if faults_of[code] == 1 else _SHARED - len(weights)
        for pattern, weight in fault.patterns.items():
            weighted[pattern][fault.id] = weight
    return dict(weighted)


def _unknown_codes(known: Mapping[MessagePattern, object]) -> Iterator[MessagePattern]:
    """Yield one pattern per sign-in service, for codes that the catalogue does not have."""
    for prefix, note in UNKNOWN_CODES.items():
        numbers = [each.code.removeprefix(prefix) for each in known if each.code.startswith(prefix)]
        others = rf"(?!(?:{'|'.join(sorted(numbers))})(?!\d))\d{{3,9}}"
        yield MessagePattern(f"{prefix}…", prefix.lower() + others, note=note)


# Every pattern, with the weights of the faults that it can mean; empty if it means no fault.
WEIGHTS: dict[MessagePattern, Mapping[str, int]] = {
    **_weighted(),
    **{each: {} for each in NO_FAULT},
}
WEIGHTS |= {each: {} for each in _unknown_codes(WEIGHTS)}


def decoded(raw: bytes) -> str:
    """Decode any bytes: as UTF-16 after a byte-order mark, else as UTF-8.

    Windows PowerShell 5.1 redirects output as UTF-16.
    """
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding, "replace")


def recognise(text: str) -> Recognised:
    """Return what the last MAX_TEXT characters of `text` can mean."""
    folded = _normalized(text[-MAX_TEXT:])
    found = [each for each in WEIGHTS if _matches(each, folded)]
    weights: dict[str, int] = {}
    for pattern in found:
        for id_, weight in WEIGHTS[pattern].items():
            weights[id_] = max(weights.get(id_, 0), weight)
    best = max(weights.values(), default=0)
    # Candidates of at most half the best weight are noise.
    candidates = [
        Candidate(each, weights[each.id], _because(found, each.id, best))
        for each in EVERY_FAULT.values()
        if weights.get(each.id, 0) * 2 > best
    ]
    candidates.sort(key=lambda each: -each.weight)
    notes = (_note(each, folded) for each in found if each.note and _is_significant(each, best))
    return Recognised(tuple(candidates), tuple(dict.fromkeys(notes)))


def _note(pattern: MessagePattern, text: str) -> str:
    """Return the note, with the code that it is on: letters and digits, and nothing else of the
    message."""
    found = re.search(pattern.regex, text)
    code = found[0].upper() if found else ""
    number = code.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return pattern.note.replace("{code}", code).replace("{number}", number)


def _normalized(text: str) -> str:
    """Return the text in lower case with single blanks, and again with wrapped lines joined."""
    text = _COLOUR.sub("", text).lower().translate(_QUOTES)
    text = text.replace("\\u0027", "'").replace('\\"', '"').replace("\\'", "'")
    text = _LINE_PREFIX.sub("", _ESCAPED_BREAK.sub("\n", text))
    plain = " ".join(text.split())
    joined = " ".join(_BREAK.sub("", text).split())
    return plain if joined == plain else f"{plain}\n{joined}"


def _matches(pattern: MessagePattern, text: str) -> bool:
    return bool(re.search(pattern.regex, text) and re.search(pattern.also, text))


def _because(found: list[MessagePattern], id_: str, best: int) -> tuple[str, ...]:
    """Return the labels of the significant patterns of a fault, best first."""
    weights = {each.label: WEIGHTS[each].get(id_, 0) for each in found}
    labels = (label for label, weight in weights.items() if weight * 2 > best)
    return tuple(sorted(labels, key=lambda label: -weights[label]))


def _is_significant(pattern: MessagePattern, best: int) -> bool:
    """Return whether a pattern weighs enough; one that means no fault always does."""
    weights = WEIGHTS[pattern].values()
    return not weights or max(weights) * 2 > best
