"""The text of a fault, without a diagnosis: a one-line summary, and lines of evidence."""

from __future__ import annotations

from dataclasses import dataclass

from stacktui.certificates.trust import TrustFileError, TrustFileFault
from stacktui.check.report import Fault
from stacktui.environments.metadata import MetadataFault
from stacktui.environments.record import DriftError, DriftFault, RecordError, RecordFault
from stacktui.identities.faults import (
    AzureCliFault,
    CertificateFault,
    ImdsFault,
    SecretFault,
    SignInFault,
)
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.records import TransportFault

# Longest excerpt of a sign-in service's message in a summary, in characters.
_SHORT = 90


@dataclass(frozen=True, slots=True)
class FaultText:
    """`summary` is one line for a screen; `lines` hold every fact of the fault."""

    summary: str
    lines: tuple[str, ...]


def fault_summary(fault: Fault) -> str:
    return _text(fault).summary


def fault_lines(fault: Fault) -> list[str]:
    return list(_text(fault).lines)


def id_lines(fault: ArmFault) -> list[str]:
    """Return the request ids that support asks for first."""
    pairs = (("x-ms-request-id", fault.request_id),
             ("x-ms-correlation-request-id", fault.correlation_id))  # fmt: skip
    return [f"{name}: {value}" for name, value in pairs if value]


def drift_lines(fault: DriftFault) -> list[str]:
    """Return both values of each difference, and when the first was recorded."""
    lines = [f"{each.field}: recorded {each.recorded}, now {each.seen}" for each in fault.drifts]
    return [*lines, f"recorded {fault.recorded:%Y-%m-%d %H:%M} UTC, at the first good check"]


def _text(fault: Fault) -> FaultText:
    match fault:
        case TransportFault():
            return _transport(fault)
        case TrustFileFault():
            return _one_line(str(TrustFileError(fault)))
        case MetadataFault():
            return _metadata(fault)
        case DriftFault():
            return FaultText(str(DriftError(fault)), tuple(drift_lines(fault)))
        case RecordFault():
            return _one_line(str(RecordError(fault)))
        case SecretFault():
            return _one_line(f"{fault.reference}: {fault.detail}")
        case CertificateFault():
            return FaultText(fault.detail, (f"{fault.path}: {fault.problem}: {fault.detail}",))
        case SignInFault():
            return _sign_in(fault)
        case ImdsFault():
            return _imds(fault)
        case AzureCliFault():
            return FaultText(fault.detail, tuple(_azure_cli(fault)))
        case ArmFault():
            return _arm(fault)


def _one_line(text: str) -> FaultText:
    return FaultText(text, (text,))


def _transport(fault: TransportFault) -> FaultText:
    code = f" ({fault.errno})" if fault.errno else ""
    lines = [f"{fault.kind} at {fault.host}:{fault.port}: {fault.detail}{code}"]
    lines += [f"it answered: {fault.answer}"] if fault.answer else []
    return FaultText(f"{fault.host}: {fault.detail}", tuple(lines))


def _metadata(fault: MetadataFault) -> FaultText:
    lines = [f"metadata: {fault.detail}"]
    lines += [f"ARM says {fault.code}: {fault.message}"] if fault.code else []
    lines += [f"page title: {fault.page_title}"] if fault.page_title else []
    lines += [f"api-versions tried: {', '.join(fault.versions)}"] if fault.versions else []
    return FaultText(fault.detail, tuple(lines))


def _sign_in(fault: SignInFault) -> FaultText:
    status = f"status {fault.status}" if fault.status else ""
    summary = fault.description or fault.code or fault.error or status or fault.problem.value
    lines = [f"{fault.authority}: {', '.join(filter(None, (fault.problem, status)))}"]
    lines += _said(fault)
    lines += [f"scopes tried: {', '.join(fault.scopes)}"] if fault.scopes else []
    lines += [f"correlation id: {fault.correlation_id}"] if fault.correlation_id else []
    short = summary if len(summary) <= _SHORT else f"{summary[: _SHORT - 1]}…"
    return FaultText(short, tuple(lines))


def _imds(fault: ImdsFault) -> FaultText:
    """Return the endpoint, the number of tries and the response."""
    summary = fault.cause.detail if fault.cause else fault.description or fault.error
    summary = summary or fault.page_title or f"status {fault.status}"
    lines = [f"{fault.endpoint}: {fault.problem}" + (f", {fault.status}" if fault.status else "")]
    if fault.by_variable:
        lines.append("AZURE_POD_IDENTITY_AUTHORITY_HOST names it")
    lines += _transport(fault.cause).lines if fault.cause else ()
    lines += _said(fault)
    lines += [f"page title: {fault.page_title}"] if fault.page_title else []
    lines += [f"api-versions it names: {', '.join(fault.versions)}"] if fault.versions else []
    tried = f"asked {fault.tries} times in {fault.seconds:.0f} s"
    lines += [tried] if fault.tries > 1 else []
    return FaultText(f"{fault.endpoint}: {summary}", tuple(lines))


def _azure_cli(fault: AzureCliFault) -> list[str]:
    asked = f"{fault.launcher} for its cloud {fault.cloud}: " if fault.cloud else ""
    return [f"{asked or 'az: '}{fault.problem}", fault.detail]


def _said(fault: SignInFault | ImdsFault) -> list[str]:
    said = " ".join(part for part in (fault.error, fault.description) if part)
    return [f"it said: {said}"] if said else []


def _arm(fault: ArmFault) -> FaultText:
    refused = fault.problem is ArmProblem.REFUSED
    # A refusal's code is enough; for other problems the status (such as 200) says nothing.
    known = fault.code if refused else fault.code or fault.problem.value
    summary = f"{fault.status or ''} {known}".strip() or fault.problem.value
    said = ": ".join(part for part in (fault.code, fault.message) if part)
    if not fault.status:
        return FaultText(
            summary, (f"ARM was not asked for {fault.what} ({fault.problem}): {said}",)
        )
    lines = [f"ARM answered {fault.status} for {fault.what} ({fault.problem})"]
    # Only a refusal quotes ARM; any other message is stacktui's.
    lines += [f"{'it said' if refused else 'seen:'} {said}"] if said else []
    lines += [f"page title: {fault.page_title}"] if fault.page_title else []
    return FaultText(summary, (*lines, *id_lines(fault)))
