"""A fault that no rule explains: its evidence, without an interpretation."""

from __future__ import annotations

from stacktui.certificates.verify import NO_ISSUER, VerifyCode
from stacktui.check.fault_text import fault_lines, id_lines
from stacktui.check.report import Fault
from stacktui.check.step_names import StepName
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import FaultInfo, Group
from stacktui.diagnosis.finding import Finding, Remedy, Side, finding
from stacktui.diagnosis.formatting import (
    chain_lines,
    flawed_file_lines,
    namesake_lines,
    request_line,
    route_lines,
)
from stacktui.diagnosis.messages.no_fault import LOOK_UP_ADFS, LOOK_UP_ENTRA
from stacktui.diagnosis.remedy_template import Quote, RemedyTemplate, for_both
from stacktui.diagnosis.sign_in_facts import is_adfs
from stacktui.environments.metadata import MetadataFault
from stacktui.identities.faults import (
    AzureCliFault,
    CertificateFault,
    ImdsFault,
    SecretFault,
    SignInFault,
)
from stacktui.resources.model import ArmFault
from stacktui.transport.records import TransportFault, TransportFaultKind

# Transport faults that only a host that was reached can cause.
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


_KEEP_EVIDENCE = for_both(
    "No known fault fits. Keep the full evidence for whoever looks into it.",
    "stacktui check{config} --format json {name} > check.json",
    config="",
)


_LOOK_UP_ENTRA = RemedyTemplate(LOOK_UP_ENTRA, shown={"number": "N"})
_LOOK_UP_ADFS = RemedyTemplate(LOOK_UP_ADFS)
_GIVE_OPERATOR = RemedyTemplate(
    "The stamp's operator finds what ARM means by {code} by the time and the ids{ids}",
    shown={"code": "the code", "ids": ""},
)


def unexplained(failure: FailureContext) -> Finding:
    """Return all evidence of the failed step; the side is where the evidence was found.

    A service's code that no rule knows is quoted, with how to look it up: az prints it too.
    """
    evidence = fault_lines(failure.fault) + _incomplete_chain_lines(failure)
    code, az_says, look_up = _unknown_code(failure.fault)
    evidence += route_lines(failure) + chain_lines(failure.presented_chain)
    if failure.last:
        evidence.append(request_line(failure.last))
        response = failure.last.response
        if response and response.excerpt:
            evidence.append(f"the answer begins: {response.excerpt}")

    def name(quote: Quote) -> str:
        # After `--`, a name that starts with a dash is not an option.
        return f"-- {quote(failure.environment.name)}"

    keep = _KEEP_EVIDENCE.fill(config=failure.config_option, name=name)
    title = f"The {failure.step.name} step failed in a way that no rule explains"
    if code:
        title = f"The {failure.step.name} step failed with {code}, a code that no rule explains"
    return finding(UNEXPLAINED.id, title, _side(failure), evidence, (*look_up, keep), az_says)


def _unknown_code(fault: Fault) -> tuple[str, str, tuple[Remedy, ...]]:
    """Return a service's code, what az says of it, and how to look it up; without a code, that of
    the catalogue."""
    match fault:
        case SignInFault(code=code) if code:
            number = code.removeprefix("AADSTS")
            entra = _LOOK_UP_ENTRA.fill(number=number)
            look_up = _LOOK_UP_ADFS.fill() if is_adfs(fault) else entra
            said = fault.description.removeprefix(code).lstrip(": ")
            return code, f"{code}: {said or '…'}", (look_up,)
        case ArmFault(code=code, message=message) if code and fault.status:
            ids = "; ".join(id_lines(fault))
            look_up = _GIVE_OPERATOR.fill(code=code, ids=f" ({ids})" if ids else "")
            return code, f"({code}) {message or '…'}", (look_up,)
    return "", UNEXPLAINED.az_says, ()


def _incomplete_chain_lines(failure: FailureContext) -> list[str]:
    """Return where an incomplete chain stops: a missing intermediate or an untrusted root."""
    end = failure.path_end
    if end is None or end.self_issued:
        return []
    if failure.verify_code == VerifyCode.CERT_SIGNATURE_FAILURE:
        return namesake_lines(failure, end)
    if failure.verify_code not in NO_ISSUER:
        return []
    issuer = end.issuer_name or "an unknown issuer"
    either = f"either an intermediate is missing, or the root {issuer} is not trusted here"
    stop = f"the chain stops at {end.common_name or '?'}, issued by {issuer}: {either}"
    return [stop, *flawed_file_lines(failure)]


def _side(failure: FailureContext) -> Side:
    match failure.fault:
        case MetadataFault() | ArmFault():
            return Side.STAMP
        case SignInFault():
            return Side.SIGN_IN
        case SecretFault() | CertificateFault() | ImdsFault() | AzureCliFault():
            return Side.BOX
        case TransportFault(kind=kind) if kind in _ANSWERED:
            return Side.SIGN_IN if failure.step.name == StepName.TOKEN else Side.STAMP
    return Side.NETWORK


# No rule: the engine reports it if no other fault applies.
UNEXPLAINED = FaultInfo(
    id="unexplained",
    group=Group.OTHER,
    sides=(Side.BOX, Side.NETWORK, Side.SIGN_IN, Side.STAMP),
    meaning="No known fault fits; the evidence is given as it is.",
    distinguishing_evidence=(
        "Every other rule was asked, and none explains what was seen. The side is only where it "
        "was seen."
    ),
    az_says="whatever it says, it cannot be known from here",
    remedies=(_LOOK_UP_ENTRA, _LOOK_UP_ADFS, _GIVE_OPERATOR, _KEEP_EVIDENCE),
)
