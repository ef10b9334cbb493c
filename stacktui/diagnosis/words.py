"""Facts in words: evidence lines that several rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.certificates.trust import TrustFileFault, TrustUsed
from stacktui.check.report import Fault
from stacktui.diagnosis.context import FailureContext
from stacktui.environments.metadata import MetadataFault
from stacktui.environments.record import DriftFault, RecordFault
from stacktui.identities.faults import CertificateFault, ImdsFault, SecretFault, SignInFault
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.facts import Exchange, TransportFault

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# Servers may present what they like; a stamp's chain has three certificates, and 20 names.
_CERTIFICATES = 8
_NAMES = 12


def request_line(exchange: Exchange) -> str:
    """`GET https://… → 500 (1,234 bytes)`."""
    response = exchange.response
    if response is None:
        return f"{exchange.method} {exchange.url} → no answer"
    return f"{exchange.method} {exchange.url} → {response.status} ({response.size:,} bytes)"


def route_lines(case: FailureContext) -> list[str]:
    """How the connection was made: addresses, pin and proxy, as far as they matter."""
    connection = case.connection
    if connection is None:
        return []
    lines = []
    if connection.attempts:
        tried = ", ".join(
            f"{each.address}:{each.port} {each.error or 'connected'}"
            for each in connection.attempts
        )
        lines.append(f"tried {tried}")
    if connection.pinned:
        lines.append(f"resolve pins {connection.host}:{connection.port} to {connection.pinned}")
    if connection.proxy.url:
        lines.append(f"through the proxy {connection.proxy.url} ({connection.proxy.source})")
    return lines


def chain_lines(chain: tuple[Certificate, ...]) -> list[str]:
    """One line a certificate, leaf first, of the first few."""
    lines = [
        f"certificate {number}: {each.unreadable or each.common_name}, "
        f"issued by {each.issuer_name or '?'}, until {each.not_after:%Y-%m-%d}"
        if each.not_after
        else f"certificate {number}: unreadable ({each.unreadable})"
        for number, each in enumerate(chain[:_CERTIFICATES], 1)
    ]
    more = len(chain) - _CERTIFICATES
    return lines + ([f"and {more} more certificates"] if more > 0 else [])


def names_line(names: tuple[str, ...]) -> str:
    """The names of a certificate, of the first few."""
    more = f", … ({len(names)} in all)" if len(names) > _NAMES else ""
    return (", ".join(names[:_NAMES]) or "(no names)") + more


def trust_line(used: TrustUsed | None) -> str:
    sources = ", ".join(f"{each.setting} ({each.path})" for each in used.sources) if used else "-"
    return f"trusted here: {sources}"


def id_lines(fault: ArmFault) -> list[str]:
    """The ids that support asks for first."""
    pairs = (("x-ms-request-id", fault.request_id),
             ("x-ms-correlation-request-id", fault.correlation_id))  # fmt: skip
    return [f"{name}: {value}" for name, value in pairs if value]


def drift_lines(fault: DriftFault) -> list[str]:
    """Both values of each difference, and since when the first was known."""
    lines = [f"{each.field}: recorded {each.recorded}, now {each.seen}" for each in fault.drifts]
    return [*lines, f"recorded {fault.recorded:%Y-%m-%d %H:%M} UTC, at the first good check"]


def imds_lines(fault: ImdsFault) -> list[str]:
    """What was asked how often, and what came."""
    lines = [f"{fault.endpoint}: {fault.problem}" + (f", {fault.status}" if fault.status else "")]
    if fault.by_variable:
        lines.append("AZURE_POD_IDENTITY_AUTHORITY_HOST names it")
    lines += fault_lines(fault.cause) if fault.cause else []
    said = " ".join(part for part in (fault.error, fault.description) if part)
    lines += [f"it said: {said}"] if said else []
    lines += [f"page title: {fault.page_title}"] if fault.page_title else []
    tried = fault.tries > 1
    return lines + ([f"asked {fault.tries} times in {fault.seconds:.0f} s"] if tried else [])


def fault_lines(fault: Fault) -> list[str]:
    """Any fault, said plainly without a judgement."""
    match fault:
        case TransportFault():
            code = f" ({fault.errno})" if fault.errno else ""
            lines = [f"{fault.kind} at {fault.host}:{fault.port}: {fault.detail}{code}"]
            return lines + ([f"it answered: {fault.answer}"] if fault.answer else [])
        case TrustFileFault() | RecordFault() | SecretFault():
            return [str(fault)]
        case MetadataFault():
            lines = [f"metadata: {fault.detail}"]
            lines += [f"ARM says {fault.code}: {fault.message}"] if fault.code else []
            lines += [f"page title: {fault.page_title}"] if fault.page_title else []
            return lines + (
                [f"api-versions tried: {', '.join(fault.versions)}"] if fault.versions else []
            )
        case DriftFault():
            return drift_lines(fault)
        case CertificateFault():
            return [f"{fault.path}: {fault.problem}: {fault.detail}"]
        case SignInFault():
            status = f", status {fault.status}" if fault.status else ""
            lines = [f"{fault.authority}: {fault.problem}{status}"]
            said = " ".join(part for part in (fault.error, fault.description) if part)
            lines += [f"it said: {said}"] if said else []
            lines += [f"scopes tried: {', '.join(fault.scopes)}"] if fault.scopes else []
            return lines + (
                [f"correlation id: {fault.correlation_id}"] if fault.correlation_id else []
            )
        case ImdsFault():
            return imds_lines(fault)
        case ArmFault():
            said = ": ".join(part for part in (fault.code, fault.message) if part)
            if not fault.status:
                return [f"ARM was not asked for {fault.what} ({fault.problem}): {said}"]
            lines = [f"ARM answered {fault.status} for {fault.what} ({fault.problem})"]
            # What is not a refusal has no words of ARM's: the message is our own.
            told = "it said" if fault.problem is ArmProblem.REFUSED else "seen:"
            return lines + ([f"{told} {said}"] if said else []) + id_lines(fault)
