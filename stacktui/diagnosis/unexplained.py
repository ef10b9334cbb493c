"""The honest answer to a fault that no rule knows: its evidence, and nothing made up."""

from __future__ import annotations

from stacktui.diagnosis.case import Case
from stacktui.diagnosis.finding import Finding, Remedy, Side
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import chain_lines, fault_lines, request_line, route_lines
from stacktui.environments.metadata import MetadataFault
from stacktui.identities.faults import CertificateFault, SecretFault, SignInFault
from stacktui.resources.model import ArmFault

ID = "unexplained"


def unexplained(case: Case) -> Finding:
    """All evidence of the failed step. The side is only where the evidence was found."""
    name = case.environment.name
    evidence = fault_lines(case.fault) + route_lines(case) + chain_lines(case.chain)
    if case.last:
        evidence.append(request_line(case.last))
        response = case.last.response
        if response and response.excerpt:
            evidence.append(f"the answer begins: {response.excerpt}")
    remedy = Remedy(
        "No known fault fits. Keep the full evidence for whoever looks into it.",
        f"stacktui check {bash(name)} --format json > check.json",
        f"stacktui check {powershell(name)} --format json > check.json",
    )
    title = f"The {case.step.name} step failed in a way that no rule explains"
    az_says = "whatever it says, it cannot be told from here"
    return Finding(ID, title, _side(case), tuple(evidence), (remedy,), az_says)


def _side(case: Case) -> Side:
    match case.fault:
        case MetadataFault() | ArmFault():
            return Side.STAMP
        case SignInFault():
            return Side.SIGN_IN
        case SecretFault() | CertificateFault():
            return Side.BOX
    return Side.NETWORK
