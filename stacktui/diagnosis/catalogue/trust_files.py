"""Files of trusted certificates that cannot be used."""

from __future__ import annotations

from stacktui.certificates.files import WHAT, FileProblem
from stacktui.certificates.trust import TrustFileFault
from stacktui.diagnosis.az_messages import AZ_NETWORK
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.tls import CERTIFICATE_FILE_UNREADABLE, NOTHING_IN_PEM
from stacktui.diagnosis.remedy_template import RemedyTemplate, for_both

_CHANGE_CA = RemedyTemplate(
    "Point ca under {section} at the stamp's root in PEM form, or take it out"
)
_UNSET_VARIABLE = RemedyTemplate(
    "Unset {variable}, or point it at a file of PEM certificates",
    "unset {variable}",
    "Remove-Item {env_variable}",
    {"variable": "REQUESTS_CA_BUNDLE", "env_variable": "Env:REQUESTS_CA_BUNDLE"},
)
_SEE_STORES = for_both(
    "See what is wrong with each store", "stacktui certificates stores{environment}"
)


def _change_setting(failure: FailureContext, fault: TrustFileFault) -> Remedy:
    """Return how to name another file, if the user named this one (`fault.is_named`)."""
    if fault.setting == "ca":
        return _CHANGE_CA.fill(section=failure.section)
    return _UNSET_VARIABLE.fill(variable=fault.setting, env_variable=f"Env:{fault.setting}")


# trust-file-missing


def _trust_file_missing(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, TrustFileFault) or fault.problem is not FileProblem.MISSING:
        return None
    title = f"{fault.setting} names a file of certificates that is not there"
    evidence = (f"{fault.setting} = {fault.path}: no such file",)
    remedy = _SEE_STORES.fill(**failure.placeholders)
    if fault.is_named:
        remedy = _change_setting(failure, fault)
    return Explanation(title, evidence, (remedy,))


TRUST_FILE_MISSING = FaultInfo(
    id="trust-file-missing",
    group=Group.TLS,
    sides=(Side.BOX,),
    meaning="A setting names a file of certificates that is not there.",
    distinguishing_evidence=(
        "The report names the setting: REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE, or ca "
        "of the environment. A file that is there and cannot be used is `trust-file-bad`."
    ),
    az_says=(
        "Could not find a suitable TLS CA certificate bundle, invalid path: … "
        "(only where the file is REQUESTS_CA_BUNDLE's, or else CURL_CA_BUNDLE's; az does not know "
        "the others)"
    ),
    patterns={
        MessagePattern(
            "a file of certificates is not there",
            r"could not find a suitable tls ca certificate bundle",
            also=r"invalid path",
        ): 95,
        CERTIFICATE_FILE_UNREADABLE: 72,
    },
    remedies=(_UNSET_VARIABLE, _CHANGE_CA, _SEE_STORES),
    rules=(_trust_file_missing,),
)


# trust-file-bad

_CONVERT = RemedyTemplate(
    "Convert it to PEM and name {pem} instead",
    "openssl x509 -inform DER -in {file} -out {pem}",
    "certutil -encode {file} {pem}",
    {"pem": "FILE.pem"},
)
_MOVE_AWAY = RemedyTemplate(
    "Move it away: without {bundle} the other stores count again",
    "mv -- {file} {aside}",
    "Move-Item {file} {aside}",
    {"bundle": "stacktui's own bundle", "aside": "FILE.aside"},
)


def _trust_file_bad(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, TrustFileFault) or fault.problem is FileProblem.MISSING:
        return None
    what = WHAT[fault.problem]
    title = f"The file that {fault.setting} names {what}"
    if not fault.is_named:
        title = f"The file of the {fault.setting} {what}"
    evidence = [f"{fault.setting} = {fault.path}", f"it {what}"]
    if fault.detail:
        evidence.append(f"reading it said: {fault.detail}")
    remedies = [_change_setting(failure, fault)] if fault.is_named else _put_aside(failure, fault)
    if fault.problem is FileProblem.DER:
        remedies.insert(0, _CONVERT.fill(file=fault.path, pem=f"{fault.path}.pem"))
    return Explanation(title, tuple(evidence), tuple(remedies))


def _put_aside(failure: FailureContext, fault: TrustFileFault) -> list[Remedy]:
    path = fault.path
    away = _MOVE_AWAY.fill(bundle=path, file=path, aside=f"{path}.aside")
    return [away, _SEE_STORES.fill(**failure.placeholders)]


TRUST_FILE_BAD = FaultInfo(
    id="trust-file-bad",
    group=Group.TLS,
    sides=(Side.BOX,),
    meaning="A file of trusted certificates holds none, or is damaged.",
    distinguishing_evidence=(
        "The report says what is wrong with it: empty, a page, a key only, DER instead of PEM. "
        "Where the file is good and the root is not in it, it is `tls-untrusted-root`."
    ),
    az_says=(
        AZ_NETWORK + "… [X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found … "
        "(only where the file is REQUESTS_CA_BUNDLE's, or else CURL_CA_BUNDLE's)"
    ),
    patterns={
        CERTIFICATE_FILE_UNREADABLE: 70,
        MessagePattern(
            "a file of trusted certificates holds none",
            r"no_certificate_or_crl_found|no certificate or crl found|\[x509\] pem lib",
        ): 95,
        NOTHING_IN_PEM: 64,
    },
    remedies=(_CONVERT, _UNSET_VARIABLE, _CHANGE_CA, _MOVE_AWAY, _SEE_STORES),
    rules=(_trust_file_bad,),
)

FAULTS = (TRUST_FILE_MISSING, TRUST_FILE_BAD)
