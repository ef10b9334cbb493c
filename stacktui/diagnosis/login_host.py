"""Findings of the login host: `login-unreachable` first, then the fault itself.

A reader of `tls-expired` looks at the stamp. The login host, which under Entra is elsewhere, must
therefore be named first.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacktui.certificates.verify import ROOTLESS
from stacktui.check.report import Evidence, Probe, Report, StepOutcome, StepResult
from stacktui.check.step_names import StepName
from stacktui.diagnosis.az_messages import AZ_NETWORK
from stacktui.diagnosis.catalogue.login_transfer import LOGIN_UNREACHABLE
from stacktui.diagnosis.catalogue.precedence import CONNECTION
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.engine import findings
from stacktui.diagnosis.finding import Finding, finding
from stacktui.environments.endpoints import LOGIN
from stacktui.transport.records import TransportFault

ID = LOGIN_UNREACHABLE.id
_IDS = frozenset(each.id for each in CONNECTION)


def as_login_fault(failure: FailureContext, verdict: Finding) -> tuple[Finding, ...]:
    """Return `login-unreachable` before the verdict if it concerns the login host, else only it."""
    at_login = failure.step.name == StepName.TOKEN and not failure.at_arm
    if not at_login or not isinstance(failure.fault, TransportFault) or verdict.id not in _IDS:
        return (verdict,)
    return (_login_finding(failure.host, verdict), verdict)


def probe_findings(failed: FailureContext) -> Iterator[Finding]:
    """Yield what is wrong with the hosts that a failed check did not reach.

    A fault that has the same cause as the check's own is left out.
    """
    for probe in failed.report.probes:
        failure = _probe_failure(failed.report, probe)
        if failure is None or _has_same_cause(failed, failure):
            continue
        found = findings(failure, CONNECTION)
        if probe.role == LOGIN:
            yield _login_finding(failure.host, found[0])
        yield from found


def _probe_failure(report: Report, probe: Probe) -> FailureContext | None:
    """Return the probe as a failed step, or None if it succeeded."""
    fault, step = probe.exchange.fault, report.failed
    if fault is None or step is None:
        return None
    name = StepName.TOKEN if probe.role == LOGIN else StepName.METADATA
    evidence = Evidence((probe.exchange,), step.evidence.trust, fault)
    return FailureContext(report, StepResult(name, StepOutcome.FAILED, probe.seconds, evidence))


def _has_same_cause(one: FailureContext, other: FailureContext) -> bool:
    """Return whether both have the same fault with the same cause: a root, an address, a proxy."""
    a, b = one.fault, other.fault
    if not isinstance(a, TransportFault) or not isinstance(b, TransportFault):
        return False
    if (a.kind, one.verify_code) != (b.kind, other.verify_code):
        return False
    if one.presented_chain and other.presented_chain:
        if one.verify_code in ROOTLESS:
            return one.path_end == other.path_end
        return one.presented_chain[0] == other.presented_chain[0]
    here, there = _addresses(one), _addresses(other)
    return not here or here == there


def _addresses(failure: FailureContext) -> frozenset[tuple[str, int]]:
    attempts = failure.connection.attempts if failure.connection else ()
    return frozenset((each.address, each.port) for each in attempts)


def _login_finding(host: str, what: Finding) -> Finding:
    title = f"The login host {host} cannot be used: {what.title}"
    evidence = (f"the fault is {what.id}", *what.evidence)
    # az has read the metadata by then; its sign-in fails.
    az_says = what.az_says.removeprefix(AZ_NETWORK)
    return finding(ID, title, what.side, evidence, what.remedies, az_says)
