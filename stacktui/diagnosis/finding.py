"""A finding: what is wrong, why we think so, whose side it is on, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from stacktui.text.sanitize import escape_control_chars

# Names in certificates and settings may be of any length; nobody reads a longer line.
_LINE = 800


class Side(StrEnum):
    """Whose side a fault is on."""

    BOX = "box"
    NETWORK = "network"
    SIGN_IN = "sign-in"
    STAMP = "stamp"


# What each side is called, wherever it is told.
SIDES = {
    Side.BOX: "this box",
    Side.NETWORK: "the network",
    Side.SIGN_IN: "sign-in",
    Side.STAMP: "the stamp",
}


class ActionKind(StrEnum):
    """What stacktui can mend itself, once it has asked."""

    TRUST_ROOT = "trust-root"
    SET = "set"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Action:
    """A mend that stacktui carries out itself on the environment that was checked.

    TRUST_ROOT trusts the root of what `host`:`port` presented. SET puts `value` in `key` of the
    environment's table; an empty one takes the key out. ACCEPT records anew what the stamp says
    and presents.
    """

    kind: ActionKind
    key: str = ""
    value: str = ""
    host: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way to mend a fault. `bash` and `powershell` can be pasted as they are.

    Both are empty where nobody at this box can run anything: then `title` says who does what.
    `action` is the same mend where stacktui can do it itself.
    """

    title: str
    bash: str = ""
    powershell: str = ""
    action: Action | None = None


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

    @property
    def besides(self) -> tuple[Finding, ...]:
        """What was also seen, for people: without what an earlier finding has told word for word,
        as `login-unreachable` tells the fault that it is."""
        told = [self.verdict] if self.verdict else []
        kept = []
        for each in self.also_seen:
            if not any(_tells(earlier, each) for earlier in told):
                kept.append(each)
            told.append(each)
        return tuple(kept)


def _tells(one: Finding, other: Finding) -> bool:
    end = one.evidence[len(one.evidence) - len(other.evidence) :]
    return bool(end) and end == other.evidence and one.remedies == other.remedies


def finding(
    id_: str,
    title: str,
    side: Side,
    evidence: Iterable[str],
    remedies: Iterable[Remedy],
    az_says: str,
) -> Finding:
    """A finding made of lines that are safe to show, whatever the facts and settings hold.

    What came from the network is clean already; names and paths of this box's own are not.
    """
    mends = (
        Remedy(
            _line(each.title),
            escape_control_chars(each.bash),
            escape_control_chars(each.powershell),
            each.action,
        )
        for each in remedies
    )
    return Finding(id_, _line(title), side, tuple(map(_line, evidence)), tuple(mends), az_says)


def _line(text: str) -> str:
    shown = escape_control_chars(text[: _LINE + 1])
    return shown if len(shown) <= _LINE else shown[: _LINE - 1] + "…"
