"""What a fault of the catalogue is: all that is known of it, in one definition.

`check` takes a definition's rules, `explain` its words, codes and message patterns, the README its
line. Light to import: `stacktui explain` must answer at once, and on a machine where nothing else
works, so the modules of the catalogue import no library that is slow to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.finding import Finding, Remedy, Side, finding
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.remedy_template import RemedyTemplate


class Group(StrEnum):
    """The stage of a check that the fault stops.

    ADVISORY is for faults that stop no check, OTHER for what no rule explains.
    """

    REACH = "reach"
    TLS = "TLS"
    METADATA = "metadata"
    TOKEN = "token"  # noqa: S105
    RESOURCES = "resources"
    ADVISORY = "beside a verdict"
    OTHER = "anything else"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a rule gives; `side` where it is not the first of its fault's sides."""

    title: str
    evidence: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The verdict of a sign-in service that means a fault (PROTOCOL.md section 2): its codes
    (`AADSTSn`, `MSISn`), and the OAuth errors that they come with."""

    codes: frozenset[str]
    errors: frozenset[str]


Rule = Callable[[FailureContext], Explanation | None]
Advisory = Callable[[ReportContext], Explanation | None]
_NAMED = re.compile(r"`([a-z]+(?:-[a-z0-9]+)*)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInfo:
    """One fault.

    `id` is a public name that never changes meaning. `meaning` is one line of at most 80
    characters. `distinguishing_evidence` says what tells the fault from its look-alikes, and names
    their ids in backticks. `az_says` is what to search for, or what az does where it says nothing.
    `patterns` are the messages of az and other clients that can mean it, with their weights; the
    codes of `refusal` need none. `remedies` are those that its rules give, in the order in which a
    reader should try them. `refusal` is what a sign-in service says of it. `rules` are asked of a
    failed check, `advisories` of every check: what they find stops none.
    """

    id: str
    group: Group
    sides: tuple[Side, ...]
    meaning: str
    distinguishing_evidence: str
    az_says: str
    patterns: Mapping[MessagePattern, int] = field(default_factory=dict)
    remedies: tuple[RemedyTemplate, ...]
    refusal: Refusal | None = None
    rules: tuple[Rule, ...] = ()
    advisories: tuple[Advisory, ...] = ()

    @property
    def look_alike_names(self) -> tuple[str, ...]:
        """What stands in backticks in its distinguishing evidence: ids, in their order."""
        return tuple(dict.fromkeys(_NAMED.findall(self.distinguishing_evidence)))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of sign-in services that mean it, sorted."""
        return tuple(sorted(self.refusal.codes)) if self.refusal else ()

    def examine(self, failure: FailureContext) -> Iterator[Finding]:
        """What its rules find of a failed check."""
        for rule in self.rules:
            if (explanation := rule(failure)) is not None:
                yield self.finding(explanation)

    def advise(self, report: ReportContext) -> Iterator[Finding]:
        """What its advisories find of any check."""
        for advisory in self.advisories:
            if (explanation := advisory(report)) is not None:
                yield self.finding(explanation)

    def finding(self, explanation: Explanation) -> Finding:
        return finding(
            self.id,
            explanation.title,
            explanation.side or self.sides[0],
            explanation.evidence,
            explanation.remedies,
            self.az_says,
        )
