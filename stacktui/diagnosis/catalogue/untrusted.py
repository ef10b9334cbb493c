"""Chains whose root is the stamp's, but is not in the trust store in use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stacktui.certificates.same_root import is_of_other_root
from stacktui.certificates.verify import NO_ISSUER, VerifyCode
from stacktui.diagnosis.az_messages import AZ_VERIFY
from stacktui.diagnosis.catalogue.chains import is_named_root
from stacktui.diagnosis.catalogue.trust_files import REPAIR, repairing_flawed
from stacktui.diagnosis.context import FailureContext, described
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import (
    chain_lines,
    flawed_file_lines,
    namesake_lines,
    route_lines,
    trust_line,
)
from stacktui.diagnosis.interceptors import why_intercepted
from stacktui.diagnosis.messages.metadata import METADATA_UNREAD
from stacktui.diagnosis.messages.network import NO_CONNECTION
from stacktui.diagnosis.messages.tls import (
    FIRST_CERTIFICATE_UNVERIFIED,
    ISSUER_UNKNOWN,
    NOT_TRUSTED,
    SIGNATURE_FALSE,
    TLS_FAILED,
    UNKNOWN_ROOT_IN_CHAIN,
)
from stacktui.diagnosis.recorded_root import recorded_signer
from stacktui.diagnosis.remedies import (
    CONNECT_DIRECTLY,
    EXPORT_BUNDLE,
    GO_AROUND_PROXY,
    TRUST_MATRIX,
    around_proxy,
    fill_trusting_file,
    fill_trusting_presented,
    trusting_file,
    trusting_presented,
)
from stacktui.diagnosis.remedy_template import PlainWord, RemedyTemplate, for_both
from stacktui.environments.naming import ASDK_ROOT

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

_TRUST_PRESENTED = trusting_presented(
    "Trust {root} as it was presented: you compare its SHA-256 with what the stamp's operator "
    "tells you, and type its last 8 digits",
    root="the root",
)
_TRUST_FILE = trusting_file(
    "If you have {root} as a file (PEM or DER) from the stamp's operator, trust it", root="the root"
)
TRUST_IN_STORE = for_both(
    "Trust it in the file of another program: you compare its SHA-256 with what the stamp's "
    "operator tells you, and type its last 8 digits",
    "stacktui certificates trust{config} {presented} --store {store}",
    presented="--presented NAME",
    store="FILE",
)
_ASK_WHOSE = RemedyTemplate(
    "Ask the stamp's operator whether {root} is theirs before you trust it: if not, the proxy on "
    "the way opens TLS, and {host} has to be exempt from that",
    shown={"root": "the root", "host": "the stamp's hosts"},
)
_UNTRUST_OLD = for_both(
    "Take the old root of the same name out, since of the two OpenSSL may take the wrong one{how}",
    "stacktui certificates untrust {fingerprint}",
    how="",
)


def _renewed_root(failure: FailureContext) -> Explanation | None:
    """Explain a root of the same name in a store: OpenSSL uses it, and its key does not fit."""
    end = failure.path_end
    if end is None or failure.verify_code != VerifyCode.CERT_SIGNATURE_FAILURE:
        return None
    if end.self_issued:  # then the chain itself is not damaged
        name = end.common_name
        found = [
            f"{name}, as presented, has SHA-256 {end.sha256} and signed the chain",
            "a store in use holds another certificate of that name, whose key did not",
        ]
    elif failure.namesakes and not failure.is_for_another_name:
        name = end.issuer_name
        found = [f"{end.common_name} is issued by {name}, which {failure.host} does not send"]
    else:
        return None
    evidence = (
        *found,
        trust_line(failure.step.evidence.trust),
        *_same_name(failure, end),
        *chain_lines(failure.presented_chain),
        *route_lines(failure),
    )
    title = (
        f"{name}, which signs for {failure.host}, is not the root of that name which this machine "
        "trusts"
    )
    return Explanation(title, evidence, (_untrust_old(failure), *_trust(failure, name)))


def _untrust_old(failure: FailureContext) -> Remedy:
    before = recorded_signer(failure) if failure.at_arm else None
    if before is None or not before.self_issued:
        # Which store has it is unknown.
        by_hand = replace(_UNTRUST_OLD, bash="", powershell="")
        return by_hand.fill(how=": stacktui certificates untrust, or the file of ca")
    return _UNTRUST_OLD.fill(how="", fingerprint=PlainWord(before.sha256))


def _untrusted_root(failure: FailureContext) -> Explanation | None:
    found = _found_root(failure)
    if found is None and not _reaches_root(failure):
        return None
    end = found or failure.path_end
    if end is None or why_intercepted(failure):
        return None  # the root is not the stamp's: tls-intercepted
    root = end.common_name if end.self_issued else end.issuer_name
    evidence = [f"the chain of {failure.host} ends at {root}, which no store in use holds"]
    if failure.verify_code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT:
        what = "a certificate below it is in the store in use, but without the root it counts for"
        evidence.append(f"{what} nothing")
    if end.self_issued:
        evidence.append(f"{root} has SHA-256 {end.sha256}")
    if holders := failure.completion.holders if failure.completion else ():
        evidence.append(f"other stores of this machine hold it: {', '.join(holders)}")
    evidence += [
        trust_line(failure.step.evidence.trust),
        *chain_lines(failure.presented_chain),
        *flawed_file_lines(failure),
        *_same_name(failure, end),
        *route_lines(failure),
        *proxy_lines(failure, root),
    ]
    title = f"The trust store in use does not hold {root}, which signs for {failure.host}"
    aside = (
        (_ASK_WHOSE.fill(root=root, host=failure.host), *around)
        if (around := around_proxy(failure))
        else ()
    )
    return Explanation(title, tuple(evidence), (*aside, *_trust(failure, root)))


def proxy_lines(failure: FailureContext, root: str) -> list[str]:
    """Return what the proxy on the way means for an unknown root."""
    url = failure.connection.proxy.url if failure.connection else None
    if url is None:
        return []
    return [f"if that proxy opens TLS, {root} is not the stamp's but the proxy's"]


def _found_root(failure: FailureContext) -> Certificate | None:
    """Return the root that completes the chain, or the certificate nearest to it, if it was found.

    It is the direct issuer of the presented path, or is above what the store in use holds.
    """
    found = failure.completion.found if failure.completion else ()
    if not found:
        return None
    last = described(found[-1].der)
    if failure.verify_code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT:
        return last
    direct = failure.verify_code in NO_ISSUER and len(found) == 1
    return last if direct and last.self_issued else None


def _reaches_root(failure: FailureContext) -> bool:
    """Return whether the chain is complete up to its root, so that only trust is missing.

    A chain that stops below its root does not show that: an intermediate may be missing, and the
    root trusted. Only a name can show that the missing certificate is the root.
    """
    end, code = failure.path_end, failure.verify_code
    if end is None:
        return False
    if code == VerifyCode.SELF_SIGNED_CERT_IN_CHAIN:
        return end.self_issued
    # The store also has the chain up to an intermediate, whose issuer is neither there nor sent.
    if code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT:
        return end.self_issued or end.is_ca
    named_root = (
        end.issuer_name == ASDK_ROOT
        or is_named_root(end.issuer_name)
        or bool(failure.namesakes)
        or any(each.holds_issuer for each in failure.flawed_files)
    )
    return (
        code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY and not end.self_issued and named_root
    )


def _same_name(failure: FailureContext, end: Certificate) -> list[str]:
    """Return what is known of another root of that name: a redeployed stamp, or an attack."""
    before = recorded_signer(failure) if failure.at_arm else None
    lines = namesake_lines(failure, end)
    if before is not None and before.issuer == end.issuer and is_of_other_root((end,), before):
        signed = "" if end.self_issued else ", did not sign this,"
        lines.append(
            f"the recorded root has the same name, but{signed} has SHA-256 {before.sha256}"
        )
    if lines:
        lines.append("either the stamp was deployed anew, or somebody imitates it")
    return lines


def _trust(failure: FailureContext, root: str) -> tuple[Remedy, ...]:
    presented = (
        (fill_trusting_presented(_TRUST_PRESENTED, failure, root=root),)
        if failure.root_available
        else ()
    )
    return (
        *repairing_flawed(failure),
        *presented,
        fill_trusting_file(_TRUST_FILE, failure, root=root),
        TRUST_MATRIX.fill(**failure.placeholders),
        EXPORT_BUNDLE.fill(**failure.placeholders),
    )


TLS_UNTRUSTED_ROOT = FaultInfo(
    id="tls-untrusted-root",
    group=Group.TLS,
    sides=(Side.BOX,),
    meaning="The chain is whole; its root is unknown to the trust store in use.",
    distinguishing_evidence=(
        "The chain leads to a root, by its own certificate or by its name, and the root is the "
        "stamp's. Where an issuer below the root is not sent, it is `tls-missing-intermediate`; "
        "where the root is a gateway's or another than the one recorded, `tls-intercepted`; a "
        "leaf that is its own issuer is `tls-self-signed`."
    ),
    az_says=(
        f"{AZ_VERIFY}'… self-signed certificate in certificate chain …' / '… unable to get local "
        "issuer certificate …' / '… certificate signature failure …')))"
    ),
    patterns={
        NO_CONNECTION: 22,
        ISSUER_UNKNOWN: 84,
        FIRST_CERTIFICATE_UNVERIFIED: 76,
        UNKNOWN_ROOT_IN_CHAIN: 88,
        NOT_TRUSTED: 42,
        SIGNATURE_FALSE: 64,
        TLS_FAILED: 24,
        METADATA_UNREAD: 18,
    },
    remedies=(
        REPAIR,
        _ASK_WHOSE,
        CONNECT_DIRECTLY,
        GO_AROUND_PROXY,
        _TRUST_PRESENTED,
        _TRUST_FILE,
        TRUST_MATRIX,
        EXPORT_BUNDLE,
        TRUST_IN_STORE,
        _UNTRUST_OLD,
    ),
    rules=(_renewed_root, _untrusted_root),
)
