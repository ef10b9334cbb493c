"""Whether `az` would register the stamp, sign in as the environment's identity and list its groups.

Judged by az's own rules (PROTOCOL.md sections 1, 6 and 7), from its files and from what the check
saw, in the order in which az does it: the first finding is what az would say. Pure: nothing is
started, read or sent. The rules are those of az 2.66.2; what differs later is `az-too-new`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from stacktui.certificates.certifi_repair import Installer
from stacktui.certificates.trust import TrustFileFault
from stacktui.certificates.verify import DATES, NAMES, ROOTLESS, VerifyCode
from stacktui.check.report import Report
from stacktui.check.step_names import StepName
from stacktui.diagnosis.az_context import AzContext
from stacktui.diagnosis.catalogue import az_explanations as explain
from stacktui.diagnosis.catalogue.applications import ADFS_CLIENT_NOT_ALLOWED, TENANT_NOT_FOUND
from stacktui.diagnosis.catalogue.az_works import (
    AZ_INSTANCE_DISCOVERY,
    AZ_PYTHON_MISSING,
    AZ_UNDECIDED,
)
from stacktui.diagnosis.catalogue.azure_cli import (
    AZ_STALE_ERROR_CACHE,
    AZ_TOO_NEW,
    is_of_public_cloud,
    too_new,
)
from stacktui.diagnosis.catalogue.azure_cli_config import (
    AZ_CONFIG_BROKEN,
    broken_file,
    other_values,
)
from stacktui.diagnosis.catalogue.chains import TLS_WEAK
from stacktui.diagnosis.catalogue.client_certificates import SP_CERT_UNUSABLE
from stacktui.diagnosis.catalogue.metadata import METADATA_API_VERSION, METADATA_INCOMPLETE
from stacktui.diagnosis.catalogue.metadata_transfer import METADATA_NOT_JSON
from stacktui.diagnosis.catalogue.names import TLS_NAME_MISMATCH
from stacktui.diagnosis.catalogue.reach import DNS_NOT_FOUND
from stacktui.diagnosis.catalogue.trust_files import REINSTALL_THERE
from stacktui.diagnosis.catalogue.untrusted import TLS_UNTRUSTED_ROOT
from stacktui.diagnosis.catalogue.validity import TLS_EXPIRED, TLS_NOT_YET_VALID
from stacktui.diagnosis.clients import untrusted, unusable_store
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import ClientResult, Finding
from stacktui.environments.metadata import DocumentTrait, MetadataFault, MetadataProblem
from stacktui.environments.record import DriftFault, RecordFault
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS
from stacktui.identities.faults import (
    AzureCliFault,
    ImdsFault,
    SecretFault,
    SignInFault,
    SignInProblem,
)
from stacktui.identities.model import CertificateRef
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.records import TransportFault, TransportFaultKind

if TYPE_CHECKING:
    from stacktui.azure_cli.ini_files import BrokenFile
    from stacktui.check.az_clients import AzHost

AZ = "az"
# Our own bounds, which az does not have.
_OUR_BOUNDS = frozenset({TransportFaultKind.TOO_LARGE, TransportFaultKind.INSECURE_URL})
# What is wrong with one answer; other requests to that host may be answered.
_OF_ONE_ANSWER = frozenset(
    {
        TransportFaultKind.HTTP_PROTOCOL,
        TransportFaultKind.HTTP_RESET,
        TransportFaultKind.FIRST_BYTE_TIMEOUT,
        TransportFaultKind.BODY_TRUNCATED,
        TransportFaultKind.BODY_ENCODING,
        TransportFaultKind.STEP_TIMEOUT,
    }
)
# Where this check stops by itself, to send nothing to somebody else.
_OUR_REFUSALS = (MetadataProblem.AUDIENCE_FOREIGN,)
_OUR_STOPS = (
    ArmProblem.PAGING_FOREIGN_HOST,
    ArmProblem.PAGING_LIMIT,
    ArmProblem.TOO_LARGE,
    ArmProblem.OPERATION_FOREIGN_HOST,
)


def az_results(report: Report, verdict: Finding | None) -> tuple[ClientResult, ...]:
    """Return what each `az` would do, the one that a shell runs first."""
    az = report.az
    if az is None:
        return ()
    contexts = [AzContext(report, az, each, verdict) for each in report.az_clients]
    # Without a known one, a shell runs one of no known form, if there is any.
    runs = az.runs.launcher if az.runs else next(iter(az.unknown), None)
    contexts.sort(key=lambda each: each.client.installation.launcher != runs)
    return tuple(map(_result, contexts))


def _result(context: AzContext) -> ClientResult:
    installation = context.client.installation
    found = tuple(_without_repeated(_failures(context)))
    unknown = () if found else tuple(AZ_UNDECIDED.advise(context))
    works: bool | None = True
    summary = "works with this environment"
    if found:
        works, summary = False, ", ".join(dict.fromkeys(each.id for each in found))
    elif unknown:
        works, summary = None, unknown[0].title
    notes = tuple(_notes(context)) if not context.is_too_new else ()
    findings = (*found, *unknown, *notes)
    path, version = str(installation.launcher), installation.version
    return ClientResult(AZ, path, version, (), works, summary, findings)


def _without_repeated(found: Iterator[Finding]) -> Iterator[Finding]:
    seen: list[Finding] = []
    for each in found:
        if each not in seen:
            seen.append(each)
            yield each


def _notes(context: AzContext) -> Iterator[Finding]:
    """Yield what does not stop it: a version that works, and is not supported."""
    if not is_of_public_cloud(context.environment):
        yield from _too_new(context)


def _too_new(context: AzContext) -> Iterator[Finding]:
    explanation = too_new(context, context.az, context.client.installation)
    if explanation is not None:
        yield AZ_TOO_NEW.finding(explanation)


def _failures(context: AzContext) -> Iterator[Finding]:
    """Yield what az would fail at, in its order."""
    if context.client.missing:  # it does not even start
        yield from AZ_PYTHON_MISSING.advise(context)
        return
    yield from _at_start(context)
    yield from _at_registration(context)
    if context.cloud is None and not is_of_public_cloud(context.environment):
        yield from _unwritable(context)
    yield from _at_sign_in(context)
    yield from _at_arm(context)


# The start of every command


def _at_start(context: AzContext) -> Iterator[Finding]:
    for each in context.az.broken:
        if not (_is_kept(each) or _is_unwritable(each) or each.flaw == "unreadable"):
            yield AZ_CONFIG_BROKEN.finding(broken_file(context, context.az, each))
    if is_of_public_cloud(context.environment):
        return
    if (explanation := explain.another_cloud(context)) is not None:
        yield AZ_CONFIG_BROKEN.finding(explanation)


def _is_kept(broken: BrokenFile) -> bool:
    """Whether it is a file of tokens or of service principals."""
    return broken.path.suffix == ".json"


def _is_unwritable(broken: BrokenFile) -> bool:
    """Whether it fails only what writes there, and not the log of each command."""
    return broken.flaw == "unwritable" and broken.path.name != "commands"


def _unwritable(context: AzContext) -> Iterator[Finding]:
    for each in context.az.broken:
        if _is_unwritable(each) and not _is_kept(each):
            yield AZ_CONFIG_BROKEN.finding(broken_file(context, context.az, each))


# Registration, where az has no cloud for the stamp


def _at_registration(context: AzContext) -> Iterator[Finding]:
    if context.cloud is not None or is_of_public_cloud(context.environment):
        return
    yield from _unusable_store(context)
    yield from _at_host(context, context.arm_host)
    if _stopped_at(context, StepName.METADATA):
        yield from _same(context)
    if context.is_too_new:
        yield from _too_new(context)
        return
    metadata = context.metadata
    if metadata is None:
        return
    if metadata.api_version != explain.AZ_API_VERSION:
        yield METADATA_API_VERSION.finding(explain.older_version(context, metadata.api_version))
    elif DocumentTrait.BYTE_ORDER_MARK in metadata.traits:
        yield METADATA_NOT_JSON.finding(explain.byte_order_mark(context))
    elif {DocumentTrait.LIST, DocumentTrait.NO_GRAPH} & metadata.traits:
        a_list = DocumentTrait.LIST in metadata.traits
        yield METADATA_INCOMPLETE.finding(explain.unfit_metadata(context, a_list=a_list))


# Sign-in


def _at_sign_in(context: AzContext) -> Iterator[Finding]:
    if context.is_too_new and not is_of_public_cloud(context.environment):
        yield from _too_new(context)
    if context.cloud is not None and (found := other_values(context, context.cloud)) is not None:
        yield AZ_CONFIG_BROKEN.finding(found)
    yield from _tenant(context)
    yield from _own_certificate(context)
    yield from _kept_files(context)
    if (keyring := context.az.keyring) is not None and context.client.has_keyring is False:
        yield AZ_CONFIG_BROKEN.finding(broken_file(context, context.az, keyring))
    yield from AZ_INSTANCE_DISCOVERY.advise(context)
    yield from _stale_errors(context)
    yield from _unusable_store(context)
    for host in context.other_hosts:
        yield from _at_host(context, host)
    if _stopped_at(context, StepName.TOKEN):
        yield from _same(context)
    token = context.report.token
    if token is not None and token.scope.endswith("/openid"):
        yield ADFS_CLIENT_NOT_ALLOWED.finding(explain.default_scope_refused(token.scope))
    yield from _unwritable(context)


def _tenant(context: AzContext) -> Iterator[Finding]:
    # Whether Microsoft's own hosts mind a second slash, only the internet knows (`az-undecided`).
    if is_of_public_cloud(context.environment) or context.login_host in PUBLIC_LOGIN_HOSTS:
        return
    if (found := explain.tenant_by_name(context)) is not None:
        yield TENANT_NOT_FOUND.finding(found)


def _own_certificate(context: AzContext) -> Iterator[Finding]:
    identity, why = context.identity, context.client.certificate
    if identity is None or not isinstance(identity.credential, CertificateRef) or not why:
        return
    path = str(identity.credential.path)
    yield SP_CERT_UNUSABLE.finding(explain.unusable_certificate(path, why))


def _kept_files(context: AzContext) -> Iterator[Finding]:
    for each in context.az.broken:
        if _is_kept(each):
            yield AZ_CONFIG_BROKEN.finding(broken_file(context, context.az, each))


def _stale_errors(context: AzContext) -> Iterator[Finding]:
    """Yield the cached errors that az would give to this identity's own sign-in.

    MSAL repeats a 400 for the very same request only. One with a certificate is never the same, as
    each assertion has its own time.
    """
    identity = context.identity
    if (
        identity is None
        or not identity.client_id
        or isinstance(identity.credential, CertificateRef)
    ):
        return
    own = tuple(each for each in context.az.kept if identity.client_id.lower() in each.mentions)
    if own:
        az = replace(context.az, kept=own)
        of_own = AzContext(replace(context.report, az=az), az, context.client, context.verdict)
        yield from AZ_STALE_ERROR_CACHE.advise(of_own)


# Requests to ARM


def _at_arm(context: AzContext) -> Iterator[Finding]:
    yield from _at_host(context, context.arm_host)
    stopped = context.report.failed
    if stopped is None or stopped.name == StepName.TOKEN:
        return
    # The metadata alone may be wrong, and az with a cloud for the stamp does not ask for it.
    if stopped.name != StepName.METADATA or not _is_of_one_answer(context):
        yield from _same(context)


def _is_of_one_answer(context: AzContext) -> bool:
    fault = context.failure.fault if context.failure else None
    if isinstance(fault, TransportFault):
        return fault.kind in _OF_ONE_ANSWER
    return isinstance(fault, MetadataFault)


# The fault of this check


def _stopped_at(context: AzContext, step: str) -> bool:
    failed = context.report.failed
    return failed is not None and failed.name == step


def _same(context: AzContext) -> Iterator[Finding]:
    """Yield the verdict on this check, if az would meet that too."""
    if context.verdict is not None and _has_it_too(context):
        verdict = context.verdict
        yield replace(verdict, evidence=(*verdict.evidence, "az has the same fault"))


def _has_it_too(context: AzContext) -> bool:
    """Whether the fault is not one of our own settings, bounds and refusals."""
    failure = context.failure
    if failure is None:
        return False
    match failure.fault:
        case TransportFault() as fault:
            if fault.kind is TransportFaultKind.TLS_VERIFY:
                return _refuses(context, failure.host, failure.port)
            return fault.kind not in _OUR_BOUNDS and not _goes_another_way(context)
        case MetadataFault() as of_metadata:
            return of_metadata.problem not in _OUR_REFUSALS
        case SignInFault() as of_sign_in:
            return of_sign_in.problem is not SignInProblem.FOREIGN_TOKEN_ENDPOINT
        case ImdsFault() as of_imds:
            return not of_imds.by_variable
        case AzureCliFault():
            return context.az.runs == context.client.installation
        case ArmFault() as of_arm:
            return of_arm.problem not in _OUR_STOPS
        case TrustFileFault() | DriftFault() | RecordFault() | SecretFault():
            return False  # az's own file of roots is judged by itself
    return True


def _refuses(context: AzContext, host: str, port: int) -> bool:
    """Whether az verifies this host's certificate, and would refuse it."""
    known = (each for each in context.client.hosts if (each.host, each.port) == (host, port))
    verification = next((each.verification for each in known), None)
    return verification is not None and not verification.ok


def _goes_another_way(context: AzContext) -> bool:
    """Whether az would reach the host that failed by another proxy, or at another address."""
    failure = context.failure
    at = (failure.host, failure.port) if failure else ("", 0)
    return any(each.way for each in context.client.hosts if (each.host, each.port) == at)


# Any host


def _unusable_store(context: AzContext) -> Iterator[Finding]:
    client = context.client
    if client.fault is not None and client.store is not None:
        python = str(client.installation.launcher.parent / "python")
        again = REINSTALL_THERE[Installer.PIP].fill(python=python)
        yield unusable_store(client.store, client.fault, again)


def _at_host(context: AzContext, host: AzHost | None) -> Iterator[Finding]:
    if host is None:
        return
    if host.unresolved:
        yield DNS_NOT_FOUND.finding(explain.unresolved(host))
    verification = host.verification
    if verification is None or verification.ok:
        return
    failure = context.failure
    fault = failure.transport(TransportFaultKind.TLS_VERIFY) if failure else None
    if failure and fault and (failure.host, failure.port) == (host.host, host.port):
        yield from _same(context)
        return
    kind = _fault_of(verification.code)
    if kind is not TLS_UNTRUSTED_ROOT:
        yield kind.finding(explain.refused_certificate(context, host))
    elif host is context.arm_host and context.client.store is not None:
        yield kind.finding(untrusted(context, context.client.store))
    else:
        yield kind.finding(explain.untrusted_login(context, host))


def _fault_of(code: int) -> FaultInfo:
    if code in NAMES:
        return TLS_NAME_MISMATCH
    if code in DATES:
        return TLS_EXPIRED if code == VerifyCode.CERT_HAS_EXPIRED else TLS_NOT_YET_VALID
    if code in ROOTLESS or code == VerifyCode.CERT_SIGNATURE_FAILURE:
        return TLS_UNTRUSTED_ROOT
    return TLS_WEAK
