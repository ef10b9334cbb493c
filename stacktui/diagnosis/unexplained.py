"""The honest answer to a fault that no rule knows: its evidence, and nothing made up."""

from __future__ import annotations

from stacktui.certificates.verify import NO_ISSUER
from stacktui.check.report import StepName
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.finding import Finding, Remedy, Side, finding
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import chain_lines, fault_lines, request_line, route_lines
from stacktui.environments.metadata import MetadataFault
from stacktui.identities.faults import CertificateFault, ImdsFault, SecretFault, SignInFault
from stacktui.resources.model import ArmFault
from stacktui.transport.facts import TransportFault, TransportFaultKind

ID = "unexplained"
# Faults of the transport that only somebody who was reached can cause.
_ANSWERED = frozenset(
    {
        TransportFaultKind.TLS_VERIFY,
        TransportFaultKind.TLS_REFUSED,
        TransportFaultKind.HTTP_PROTOCOL,
        TransportFaultKind.HTTP_RESET,
        TransportFaultKind.FIRST_BYTE_TIMEOUT,
        TransportFaultKind.BODY_TRUNCATED,
        TransportFaultKind.BODY_ENCODING,
        TransportFaultKind.TOO_LARGE,
        TransportFaultKind.INSECURE_URL,
        TransportFaultKind.STEP_TIMEOUT,
    }
)


def unexplained(case: FailureContext) -> Finding:
    """All evidence of the failed step. The side is only where the evidence was found."""
    evidence = fault_lines(case.fault) + _open_end(case)
    evidence += route_lines(case) + chain_lines(case.presented_chain)
    if case.last:
        evidence.append(request_line(case.last))
        response = case.last.response
        if response and response.excerpt:
            evidence.append(f"the answer begins: {response.excerpt}")
    remedy = Remedy(
        "No known fault fits. Keep the full evidence for whoever looks into it.",
        f"{case.command('check', bash, ' --format json')} > check.json",
        f"{case.command('check', powershell, ' --format json')} > check.json",
    )
    title = f"The {case.step.name} step failed in a way that no rule explains"
    az_says = "whatever it says, it cannot be told from here"
    return finding(ID, title, _side(case), evidence, (remedy,), az_says)


def _open_end(case: FailureContext) -> list[str]:
    """Where a chain stops, if that is what is wrong with it: two faults look alike from here."""
    top = case.path_end
    if case.verify_code not in NO_ISSUER or top is None or top.self_issued:
        return []
    issuer = top.issuer_name or "an unknown issuer"
    either = f"either an intermediate is missing, or the root {issuer} is not trusted here"
    return [f"the chain stops at {top.common_name or '?'}, issued by {issuer}: {either}"]


def _side(case: FailureContext) -> Side:
    match case.fault:
        case MetadataFault() | ArmFault():
            return Side.STAMP
        case SignInFault():
            return Side.SIGN_IN
        case SecretFault() | CertificateFault() | ImdsFault():
            return Side.BOX
        case TransportFault(kind=kind) if kind in _ANSWERED:
            return Side.SIGN_IN if case.step.name is StepName.TOKEN else Side.STAMP
    return Side.NETWORK
