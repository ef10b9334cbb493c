"""A finding: what is wrong, why we think so, whose side it is on, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from stacktui.text.sanitize import escape_control_chars

if TYPE_CHECKING:
    from stacktui.python_clients.packages import Package

# Longest line, in characters: names in certificates and settings may be of any length.
_LINE = 800


class Side(StrEnum):
    """Whose side a fault is on."""

    BOX = "box"
    NETWORK = "network"
    SIGN_IN = "sign-in"
    STAMP = "stamp"


# The public label of each side.
SIDES = {
    Side.BOX: "this box",
    Side.NETWORK: "the network",
    Side.SIGN_IN: "sign-in",
    Side.STAMP: "the stamp",
}


# Who can act where nothing can be done with stacktui or a command on this machine.
OWNERS = {
    Side.BOX: "whoever looks after this machine",
    Side.NETWORK: "whoever runs the network",
    Side.SIGN_IN: "whoever runs the sign-in",
    Side.STAMP: "the stamp's operator",
}


class ActionKind(StrEnum):
    """What stacktui can fix itself, after asking the user."""

    TRUST_ROOT = "trust-root"
    SET = "set"
    ACCEPT = "accept"
    CHMOD = "chmod"
    REPAIR = "repair"
    ASK_SECRET = "ask-secret"  # noqa: S105 - the name of an action
    GRANT = "grant"
    REMOVE_LEFTOVERS = "remove-leftovers"


@dataclass(frozen=True, slots=True)
class Action:
    """A fix that stacktui carries out itself, on the environment that was checked.

    TRUST_ROOT trusts the root of what `host`:`port` presented, from a file that it asks for where
    the host does not present it. SET puts `value` in `key` of the
    environment's table; an empty value removes the key. ACCEPT records again what the stamp says
    and presents. CHMOD sets the mode of the file `key` to `value`, in octal. REPAIR
    writes the file of certificates `key` anew, as it was meant. ASK_SECRET asks for
    the secret or password of the identity, for this run alone. GRANT gives Reader at the scope
    `key` to the principal `value`, as another identity of the config. REMOVE_LEFTOVERS deletes the
    groups that write probes left.
    """

    kind: ActionKind
    key: str = ""
    value: str = ""
    host: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way to fix a fault. `bash` and `powershell` can be pasted as they are.

    Both are empty where nothing can be run on this machine: then `title` says who does what.
    `action` is the same remedy where stacktui can carry it out itself.
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

    @property
    def owner(self) -> str:
        """Who must act, and needs the report for that; empty where a remedy can be run here."""
        here = any(each.bash or each.powershell or each.action for each in self.remedies)
        return "" if here else OWNERS[self.side]


@dataclass(frozen=True, slots=True)
class ClientResult:
    """A client, such as `az` or the Python of an environment, which `path` starts.

    `works` is None where that is not known: of a Python none of its `packages` talks to ARM, or
    none is one of which it is known whether a stamp has its api-versions; of az a finding says why.
    `summary` says so in a few words: where it does not work, by the ids of the findings.
    """

    name: str
    path: str
    version: str
    packages: tuple[Package, ...]
    works: bool | None
    summary: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict on a report (None when healthy), and what else was seen, in rule order.

    `az` is what each `az` on this machine would do, the one that a shell runs first.
    """

    verdict: Finding | None
    also_seen: tuple[Finding, ...] = ()
    az: tuple[ClientResult, ...] = ()

    @property
    def az_line(self) -> str:
        """What the az that a shell runs would do, in a few words; empty where it works too.

        Of a healthy check `az would fail: az-too-new`, empty too where that is not known.
        """
        first = next(iter(self.az), None)
        if first is None or first.works:
            return ""
        if first.works is None:
            return first.summary if self.verdict else ""
        if self.verdict is None or first.findings[0].id != self.verdict.id:
            return f"az would fail: {first.summary}"
        return "az has the same fault"

    @property
    def of_az_alone(self) -> tuple[tuple[ClientResult, tuple[Finding, ...]], ...]:
        """Each az that would fail, and its findings that are no verdict, nor seen here too."""
        known = {each.id for each in (self.verdict, *self.also_seen) if each}
        found = ((each, each.findings) for each in self.az if each.works is False)
        pairs = (
            (each, tuple(one for one in findings if one.id not in known))
            for each, findings in found
        )
        return tuple((each, findings) for each, findings in pairs if findings)

    @property
    def also_seen_distinct(self) -> tuple[Finding, ...]:
        """`also_seen` without findings that an earlier one repeats in full, for people to read.

        `login-unreachable`, for example, repeats the fault that it is made of.
        """
        shown = [self.verdict] if self.verdict else []
        kept = []
        for each in self.also_seen:
            if not any(_repeats(earlier, each) for earlier in shown):
                kept.append(each)
            shown.append(each)
        return tuple(kept)


def _repeats(one: Finding, other: Finding) -> bool:
    """Whether `one` ends with the evidence of `other` and has the same remedies."""
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
    """Return a finding whose lines are safe to show, whatever the facts and settings hold.

    Text from the network is sanitised already; names and paths of this machine are not.
    """
    safe = (
        Remedy(
            _line(each.title),
            escape_control_chars(each.bash),
            escape_control_chars(each.powershell),
            each.action,
        )
        for each in remedies
    )
    return Finding(id_, _line(title), side, tuple(map(_line, evidence)), tuple(safe), az_says)


def _line(text: str) -> str:
    shown = escape_control_chars(text[: _LINE + 1])
    return shown if len(shown) <= _LINE else shown[: _LINE - 1] + "…"
