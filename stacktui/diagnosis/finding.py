"""A finding: what is wrong, why we think so, whose side it is on, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Whose side a fault is on."""

    BOX = "box"
    NETWORK = "network"
    SIGN_IN = "sign-in"
    STAMP = "stamp"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way to mend a fault. `bash` and `powershell` can be pasted as they are.

    Both are empty where nobody at this box can run anything: then `title` says who does what.
    """

    title: str
    bash: str = ""
    powershell: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, or something also seen. `id` is a public name that never changes meaning."""

    id: str
    title: str
    side: Side
    evidence: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    az_says: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict on a report (None when healthy), and what else was seen, in rule order."""

    verdict: Finding | None
    also_seen: tuple[Finding, ...] = ()
