"""The definition of a fault of the catalogue.

`check` uses a definition's rules, `explain` its texts, codes and message patterns, the README its
table row. Light to import: `stacktui explain` must answer at once, and on a machine where nothing
else works, so the modules of the catalogue import no library that is slow to load.
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
    """The result of a rule; `side` is set if it is not the first of the fault's sides, `az_says` if
    az has words of its own for this cause."""

    title: str
    evidence: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    side: Side | None = None
    az_says: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The response of a sign-in service that means a fault (PROTOCOL.md section 2).

    `codes` are its codes (`AADSTSn`, `MSISn`), `errors` the OAuth errors that accompany them.
    """

    codes: frozenset[str]
    errors: frozenset[str]


Rule = Callable[[FailureContext], Explanation | None]
Advisory = Callable[[ReportContext], Explanation | None]
_NAMED = re.compile(r"`([a-z]+(?:-[a-z0-9]+)*)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInfo:
    """A fault of the catalogue.

    `id` is a public name that never changes meaning. `meaning` is one line of at most 80
    characters. `distinguishing_evidence` says how the fault differs from its look-alikes, and names
    their ids in backticks. `az_says` is az's message, or what az does if it prints none.
    `patterns` are the messages of az and other clients that can mean it, with their weights; the
    codes of `refusal` need none. `remedies` are all that the rules may give, in the order in which
    to try them. `refusal` is the response of a sign-in service that means it. `rules` examine a
    failed check, `advisories` every check. `beside_rules` examine a failed check for what is wrong
    besides its verdict, so that the next check does not fail anew: they give no verdict.
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
    beside_rules: tuple[Rule, ...] = ()
    advisories: tuple[Advisory, ...] = ()

    @property
    def look_alike_names(self) -> tuple[str, ...]:
        """The ids in backticks in `distinguishing_evidence`, in order."""
        return tuple(dict.fromkeys(_NAMED.findall(self.distinguishing_evidence)))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of sign-in services that mean this fault, sorted."""
        return tuple(sorted(self.refusal.codes)) if self.refusal else ()

    def examine(self, failure: FailureContext) -> Iterator[Finding]:
        """Yield what the rules find in a failed check."""
        return self._found(self.rules, failure)

    def examine_beside(self, failure: FailureContext) -> Iterator[Finding]:
        """Yield what the rules for what is wrong besides the verdict find in a failed check."""
        return self._found(self.beside_rules, failure)

    def _found(self, rules: tuple[Rule, ...], failure: FailureContext) -> Iterator[Finding]:
        for rule in rules:
            if (explanation := rule(failure)) is not None:
                yield self.finding(explanation)

    def advise(self, report: ReportContext) -> Iterator[Finding]:
        """Yield what the advisories find in any check."""
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
            explanation.az_says or self.az_says,
        )
