"""A failed check as rules look at it, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from stacktui.certificates.chain import Certificate, describe
from stacktui.check.report import Fault, Report, Step
from stacktui.diagnosis.finding import Finding, Remedy, Side
from stacktui.diagnosis.shell import toml
from stacktui.environments.model import Environment
from stacktui.identities.model import Identity
from stacktui.transport.facts import ConnectionFacts, Exchange, TransportFault, TransportFaultKind
from stacktui.transport.text import visible


class Case:
    """One report and the step that failed in it, with short ways to the facts."""

    def __init__(self, report: Report, failed: Step) -> None:
        self.report = report
        self.step = failed
        fault = failed.evidence.fault
        if fault is None:
            raise ValueError("a failed step must have a fault")
        self.fault: Fault = fault

    @property
    def environment(self) -> Environment:
        return self.report.target.environment

    @property
    def identity(self) -> Identity | None:
        return self.report.target.identity

    @property
    def section(self) -> str:
        """The header of the environment's table in the config, as it would be written."""
        name = visible(self.environment.name)
        bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        return f"[environments.{name}]" if bare else f"[environments.{toml(name)}]"

    @property
    def now(self) -> datetime:
        """When the check started: the only clock that a diagnosis knows."""
        return self.report.started

    @property
    def last(self) -> Exchange | None:
        return self.step.evidence.last

    @property
    def connection(self) -> ConnectionFacts | None:
        return self.last.connection if self.last else None

    @property
    def host(self) -> str:
        """The host that the deciding request was for."""
        url = self.last.url if self.last else self.environment.arm
        return urlsplit(url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.last.url if self.last else self.environment.arm).port or 443

    @cached_property
    def chain(self) -> tuple[Certificate, ...]:
        """The certificates that the deciding host presented, leaf first."""
        tls = self.connection.tls if self.connection else None
        return tuple(describe(der) for der in tls.chain) if tls else ()

    def transport(self, kind: TransportFaultKind) -> TransportFault | None:
        """The fault, if it is the transport's and of this kind."""
        fault = self.fault
        return fault if isinstance(fault, TransportFault) and fault.kind is kind else None


Explain = Callable[[Case], tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the catalogue.

    `explain` gives title, evidence and remedies, or None where the rule does not apply.
    """

    id: str
    side: Side
    az_says: str
    explain: Explain

    def examine(self, case: Case) -> Finding | None:
        explained = self.explain(case)
        if explained is None:
            return None
        title, evidence, remedies = explained
        return Finding(self.id, title, self.side, evidence, remedies, self.az_says)


def rule(id_: str, side: Side, az_says: str) -> Callable[[Explain], Rule]:
    """Make a rule of the function that explains it."""
    return lambda explain: Rule(id_, side, az_says, explain)
