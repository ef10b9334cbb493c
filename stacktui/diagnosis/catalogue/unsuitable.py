"""Trusted certificates that are not made for a server, or not as clients demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.certificates.verify import ROOTLESS, UNSUITABLE, VerifyCode
from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.az_messages import AZ_VERIFY
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.formatting import chain_lines, route_lines
from stacktui.diagnosis.interceptors import why_intercepted
from stacktui.diagnosis.messages.tls import NOT_TRUSTED, SIGNATURE_FALSE, UNSUITABLE_CERTIFICATE
from stacktui.diagnosis.remedies import LINT_NEW_FILES
from stacktui.diagnosis.remedy_template import RemedyTemplate

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

_SERVER = ("serverAuth", "anyExtendedKeyUsage")
# Those that VERIFY_X509_STRICT adds, as Python sets it from 3.13 (PROTOCOL.md section 6).
_STRICT_ONLY = frozenset(each for each in UNSUITABLE if each > VerifyCode.INVALID_CA)
_ABOUT_NAMES = frozenset(
    {
        VerifyCode.PERMITTED_VIOLATION,
        VerifyCode.EXCLUDED_VIOLATION,
        VerifyCode.SUBTREE_MINMAX,
        VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE,
        VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX,
        VerifyCode.UNSUPPORTED_NAME_SYNTAX,
    }
)
_REISSUE = RemedyTemplate(
    "The stamp's operator has the certificate of {host} issued anew, with extended key usage "
    "serverAuth and clientAuth, key usage digitalSignature and keyEncipherment, and the key "
    "identifiers of its own key and of its CA's (RFC 5280 section 4.2.1)",
    shown={"host": "the host"},
)
_ISSUE_BY_ANOTHER = RemedyTemplate(
    "The stamp's operator has the certificate of {host} issued by a CA that may sign for this name",
    shown={"host": "the host"},
)
_CORRECT_CA = RemedyTemplate(
    "If it is a CA's certificate that the reason is about, whoever runs that CA issues the CA's "
    "certificate anew; then the stamp's operator deploys the chain again"
)


def _unsuitable(failure: FailureContext) -> Explanation | None:
    code = failure.verify_code
    why = UNSUITABLE.get(code) if code is not None else None
    if code is None or why is None:
        return None
    strict = ["only strict clients refuse it: Python from 3.13 on"] if code in _STRICT_ONLY else []
    evidence = (
        *fault_lines(failure.fault),
        *strict,
        *_use_lines(failure),
        *chain_lines(failure.presented_chain),
        *route_lines(failure),
    )
    if code in _ABOUT_NAMES:
        reissue = _ISSUE_BY_ANOTHER.fill(host=failure.host)
    else:
        reissue = _REISSUE.fill(host=failure.host)
    remedies = (reissue, _CORRECT_CA.fill(), LINT_NEW_FILES.fill())
    return Explanation(_title(failure, why), evidence, remedies)


def _also_unsuitable(failure: FailureContext) -> Explanation | None:
    """Explain a purpose that OpenSSL did not come to, as it found no trusted root."""
    chain = failure.presented_chain
    if failure.verify_code not in ROOTLESS or not chain or why_intercepted(failure):
        return None
    if _serves(chain[0]):
        return _also_no_ca(failure)
    evidence = (*_use_lines(failure), *route_lines(failure))
    remedies = (_REISSUE.fill(host=failure.host), LINT_NEW_FILES.fill())
    why = UNSUITABLE[VerifyCode.INVALID_PURPOSE]
    return Explanation(_title(failure, why), evidence, remedies)


def _also_no_ca(failure: FailureContext) -> Explanation | None:
    """Explain an issuer on the path that may not issue. A root need not say so: old ones cannot."""
    above = failure.verified_path[1:]
    wrong = [each for each in above if not (each.is_ca or each.self_issued or each.unreadable)]
    if not wrong:
        return None
    lines = [f"{each.common_name} is no CA by its basic constraints" for each in wrong]
    evidence = (*lines, *chain_lines(failure.presented_chain), *route_lines(failure))
    remedies = (_CORRECT_CA.fill(), LINT_NEW_FILES.fill())
    return Explanation(_title(failure, UNSUITABLE[VerifyCode.INVALID_CA]), evidence, remedies)


def _title(failure: FailureContext, why: str) -> str:
    return f"The certificate of {failure.host}, or its CA's, is not made for this use: {why}"


def _serves(certificate: Certificate) -> bool:
    uses = certificate.extended_key_usage
    return uses is None or any(each in _SERVER for each in uses)


def _use_lines(failure: FailureContext) -> list[str]:
    """Return what the certificates on the path may be used for, where one is not for servers."""
    return [
        f"{each.common_name} may be used for {', '.join(each.extended_key_usage or ('nothing',))}"
        for each in failure.verified_path
        if not _serves(each)
    ]


TLS_UNSUITABLE = FaultInfo(
    id="tls-unsuitable",
    group=Group.TLS,
    sides=(Side.STAMP,),
    meaning="A certificate of the chain is not made for servers, or not as clients demand.",
    distinguishing_evidence=(
        "A trusted root was found, and a certificate of the chain may not be used so: its "
        "purposes, its CA's right to sign, name constraints, or an extension that strict clients "
        "demand. The report has OpenSSL's reason. A key or hash that is too weak is `tls-weak`; "
        "what clients accept and the vendor's checker does not is `cert-readiness`."
    ),
    az_says=AZ_VERIFY + "'… unsuitable certificate purpose …')))",
    patterns={
        UNSUITABLE_CERTIFICATE: 94,
        SIGNATURE_FALSE: 60,
        NOT_TRUSTED: 26,
    },
    remedies=(_REISSUE, _ISSUE_BY_ANOTHER, _CORRECT_CA, LINT_NEW_FILES),
    rules=(_unsuitable,),
    beside_rules=(_also_unsuitable,),
)
