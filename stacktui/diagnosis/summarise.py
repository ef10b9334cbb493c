"""Sum up a diagnosed report for the history and for lists of environments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from stacktui.check.report import Report
from stacktui.check.summary import CheckSummary
from stacktui.diagnosis.clocks import stamp_skew
from stacktui.diagnosis.context import described
from stacktui.diagnosis.finding import Diagnosis
from stacktui.transport.records import ConnectionFacts


def summarise(report: Report, diagnosis: Diagnosis, run_id: str = "") -> CheckSummary:
    """Return what is kept of a finished check. It holds names of hosts, but of no person."""
    verdict = diagnosis.verdict
    phases: dict[str, float] = {}
    for phase in (each for step in report.steps for each in step.phases):
        phases[phase.name.value] = phases.get(phase.name.value, 0.0) + phase.seconds
    return CheckSummary(
        environment=report.target.environment.name,
        started=report.started,
        seconds=report.seconds,
        ok=report.ok if report.conclusive else None,
        verdict=verdict.id if verdict else "",
        side=verdict.side.value if verdict else "",
        steps=tuple((each.name, each.outcome.value, each.seconds) for each in report.steps),
        phases=phases,
        expiries=_expiries(report),
        skew=stamp_skew(report),
        run_id=run_id,
    )


def _expiries(report: Report) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for seen in _connections(report):
        ends = described(seen.tls.chain[0]).not_after if seen.tls and seen.tls.chain else None
        if ends is not None:
            found.setdefault(f"{seen.host}:{seen.port}", ends)
    return found


def _connections(report: Report) -> Iterator[ConnectionFacts]:
    exchanges = [each for step in report.steps for each in step.evidence.exchanges]
    exchanges += [probe.exchange for probe in report.probes]
    return (each.connection for each in exchanges if each.connection is not None)
