"""TLS interception: a chain that ends in a gateway's root instead of the stamp's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.diagnosis.az_messages import AZ_NETWORK
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import chain_lines, route_lines, trust_line
from stacktui.diagnosis.interceptors import completed_path, evidence_of_chain, why_intercepted
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.metadata import METADATA_UNREAD
from stacktui.diagnosis.messages.tls import (
    FIRST_CERTIFICATE_UNVERIFIED,
    ISSUER_UNKNOWN,
    NOT_TRUSTED,
    SIGNATURE_FALSE,
    UNKNOWN_ROOT_IN_CHAIN,
)
from stacktui.diagnosis.recorded_root import recorded_signer, signers
from stacktui.diagnosis.remedies import (
    CONNECT_DIRECTLY,
    GO_AROUND_PROXY,
    accepting,
    around_proxy,
    fill_accepting,
    fill_trusting_file,
    fill_trusting_presented,
    trusting_file,
    trusting_presented,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

_EXEMPT = RemedyTemplate(
    "Ask for {host} to be exempt from TLS inspection: then the stamp answers",
    shown={"host": "the stamp's hosts"},
)
_COMPARE_GATEWAY = "compare its SHA-256 with what whoever runs the gateway tells you"
# Whoever holds the gateway's key reads what is sent, secrets too: trusting it comes last.
_ONLY_IF = "Else, only if the gateway's owner may read all that you send, secrets too,"
_TRUST_GATEWAY = trusting_presented(
    f"{_ONLY_IF} trust {{root}} as it was presented: {_COMPARE_GATEWAY}, and type its last 8 "
    "digits",
    root="the gateway's root",
)
_TRUST_GATEWAY_FILE = trusting_file(
    f"{_ONLY_IF} get {{root}} as a file (PEM or DER), {_COMPARE_GATEWAY}, and trust it",
    root="the gateway's root",
)
# If only the record suggests a gateway, the operator may have renewed the CA.
_ASK = "If the stamp's operator says that {root} is theirs, compare its SHA-256 with what they"
_TRUST_RENEWED = trusting_presented(
    f"{_ASK} tell you; if it is the same, trust it by its last 8 digits", root="the root"
)
_TRUST_RENEWED_FILE = trusting_file(
    f"{_ASK} give you as a file (PEM or DER); if it is theirs, trust it", root="the root"
)
_ACCEPT = accepting(
    "Once it is trusted, accept {root} in place of what was recorded", root="the root"
)
_SIGN_IN_NOWHERE = RemedyTemplate(
    "Ask the stamp's operator whether {root} is theirs. If not, ask for {host} to be exempt from "
    "TLS inspection, and sign in nowhere until then",
    shown={"root": "the root", "host": "the stamp's hosts"},
)
_KEEP_VERIFYING = RemedyTemplate(
    "Do not switch verification off: then anybody on the way can read your secrets, not only the "
    "gateway"
)


def _intercepted(failure: FailureContext) -> Explanation | None:
    why = why_intercepted(failure)
    if not why:
        return None
    now, before = completed_path(failure)[-1], recorded_signer(failure)
    facts = (
        *chain_lines(failure.presented_chain),
        trust_line(failure.step.evidence.trust),
        *route_lines(failure),
    )
    if before is not None and not evidence_of_chain(failure):
        title = (
            f"{signers(failure.host, now, before)}: either TLS is opened on the way, or the "
            "operator has renewed the CA"
        )
        evidence = (*why, *_interception_or_renewal_lines(now), *facts)
        return Explanation(
            title, evidence, _interception_or_renewal_remedies(failure, now.issuer_name)
        )
    root = now.issuer_name
    trust = (
        fill_trusting_presented(_TRUST_GATEWAY, failure, root=root)
        if failure.root_available
        else fill_trusting_file(_TRUST_GATEWAY_FILE, failure, root=root)
    )
    exempt = _EXEMPT.fill(host=failure.host)
    remedies = (exempt, *around_proxy(failure), trust, _KEEP_VERIFYING.fill())
    title = f"{root} signs for {failure.host}: TLS is opened on the way"
    return Explanation(title, (*why, *facts), remedies)


def _interception_or_renewal_lines(now: Certificate) -> tuple[str, ...]:
    """Return the evidence for interception and for renewal, if only the record differs."""
    name = now.issuer_name
    root = f"its SHA-256 is {now.sha256}" if now.self_issued else "it was not presented itself"
    return (
        f"for TLS opened on the way: {name} is new here, and this machine does not trust it",
        f"for a renewed CA: {name} is not named like products that open TLS",
        f"only the stamp's operator can tell whether {name} is theirs; {root}",
    )


def _interception_or_renewal_remedies(failure: FailureContext, root: str) -> tuple[Remedy, ...]:
    return (
        _SIGN_IN_NOWHERE.fill(host=failure.host, root=root),
        *around_proxy(failure),
        fill_trusting_presented(_TRUST_RENEWED, failure, root=root)
        if failure.root_available
        else fill_trusting_file(_TRUST_RENEWED_FILE, failure, root=root),
        fill_accepting(_ACCEPT, failure, root=root),
        _KEEP_VERIFYING.fill(),
    )


TLS_INTERCEPTED = FaultInfo(
    id="tls-intercepted",
    group=Group.TLS,
    sides=(Side.NETWORK,),
    meaning="Somebody on the way opens TLS: the chain ends in a gateway's root.",
    distinguishing_evidence=(
        "The root is named like a gateway's, signs for an unrelated host too, or is another than "
        "the one recorded on the environment's first good check. Where that record is all that "
        "tells, the operator may have renewed the CA just as well, and the title says so. Without "
        "such evidence it is `tls-untrusted-root`. Where this machine trusts the other root "
        "already, the check is healthy, and `root-changed` is seen beside it."
    ),
    az_says=(
        AZ_NETWORK
        + "… (Caused by SSLError(SSLCertVerificationError(1, '… certificate verify failed"
    ),
    patterns={
        ISSUER_UNKNOWN: 82,
        FIRST_CERTIFICATE_UNVERIFIED: 74,
        UNKNOWN_ROOT_IN_CHAIN: 84,
        NOT_TRUSTED: 41,
        SIGNATURE_FALSE: 66,
        MessagePattern("another key than the one pinned", r"pinned_key_not_in_cert_chain"): 90,
        METADATA_UNREAD: 14,
    },
    remedies=(
        _EXEMPT,
        _SIGN_IN_NOWHERE,
        CONNECT_DIRECTLY,
        GO_AROUND_PROXY,
        _TRUST_GATEWAY,
        _TRUST_GATEWAY_FILE,
        _TRUST_RENEWED,
        _TRUST_RENEWED_FILE,
        _ACCEPT,
        _KEEP_VERIFYING,
    ),
    rules=(_intercepted,),
)
