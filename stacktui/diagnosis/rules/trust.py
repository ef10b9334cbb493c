"""Files of certificates that cannot be used."""

from __future__ import annotations

from stacktui.certificates.files import WHAT, FileProblem
from stacktui.certificates.trust import TrustFileFault
from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.shell import bash, powershell

_AZ_OS_ERROR = (
    "Could not find a suitable TLS CA certificate bundle, invalid path: … "
    "(only where the file is REQUESTS_CA_BUNDLE's; az does not know the others)"
)
_AZ_SSL_ERROR = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: … [X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found … "
    "(only where the file is REQUESTS_CA_BUNDLE's)"
)


def _change_setting(case: FailureContext, fault: TrustFileFault) -> Remedy:
    if fault.setting == "ca":
        return Remedy(
            f"Point ca under {case.section} at the stamp's root in PEM form, or take it out"
        )
    if fault.setting.isupper():
        return Remedy(
            f"Unset {fault.setting}, or point it at a file of PEM certificates",
            f"unset {bash(fault.setting)}",
            f"Remove-Item {powershell('Env:' + fault.setting)}",
        )
    aside = f"{fault.path}.aside"
    return Remedy(
        f"Move it away: without {fault.path} the other stores count again",
        f"mv -- {bash(fault.path)} {bash(aside)}",
        f"Move-Item {powershell(fault.path)} {powershell(aside)}",
    )


@rule("trust-file-missing", Side.BOX, _AZ_OS_ERROR)
def trust_file_missing(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, TrustFileFault) or fault.problem is not FileProblem.MISSING:
        return None
    title = f"{fault.setting} names a file of certificates that is not there"
    return (
        title,
        (f"{fault.setting} = {fault.path}: no such file",),
        (_change_setting(case, fault),),
    )


@rule("trust-file-bad", Side.BOX, _AZ_SSL_ERROR)
def trust_file_bad(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, TrustFileFault) or fault.problem is FileProblem.MISSING:
        return None
    title = f"The file that {fault.setting} names {WHAT[fault.problem]}"
    if not fault.is_named:
        title = f"The file of the {fault.setting} {WHAT[fault.problem]}"
    evidence = [f"{fault.setting} = {fault.path}", f"it {WHAT[fault.problem]}"]
    if fault.detail:
        evidence.append(f"reading it said: {fault.detail}")
    remedies: tuple[Remedy, ...] = (_change_setting(case, fault),)
    if fault.problem is FileProblem.DER:
        path, pem = fault.path, f"{fault.path}.pem"
        convert = Remedy(
            f"Convert it to PEM and name {pem} instead",
            f"openssl x509 -inform DER -in {bash(path)} -out {bash(pem)}",
            f"certutil -encode {powershell(path)} {powershell(pem)}",
        )
        remedies = (convert, *remedies)
    return title, tuple(evidence), remedies


RULES = (trust_file_missing, trust_file_bad)
