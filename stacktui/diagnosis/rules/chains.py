"""What a stamp presents and should not: a lone certificate, a chain with a gap, weak keys."""

from __future__ import annotations

import re

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.verify import NO_ISSUER, VerifyCode
from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules.interception import interceptor, why_intercepted
from stacktui.diagnosis.words import chain_lines, fault_lines, route_lines
from stacktui.transport.facts import TransportFaultKind

_WEAK: dict[int, str] = {
    VerifyCode.EE_KEY_TOO_SMALL: "its key is too small",
    VerifyCode.CA_KEY_TOO_SMALL: "the key of a CA in its chain is too small",
    VerifyCode.CA_MD_TOO_WEAK: "a signature in its chain uses a hash that is broken",
}
# OpenSSL's reasons for a handshake that only weaker rules would let through (sslerr.h). Not those
# that say no more than that the server did not like something (SSLV3_ALERT_HANDSHAKE_FAILURE).
_WEAK_REASONS = {
    "UNSUPPORTED_PROTOCOL": "it speaks only TLS versions before 1.2",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks neither TLS 1.2 nor 1.3",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "it knows no cipher that is allowed here",
    "DH_KEY_TOO_SMALL": "its Diffie-Hellman key is too small",
    "EE_KEY_TOO_SMALL": "its key is too small",
    "CA_KEY_TOO_SMALL": "the key of a CA in its chain is too small",
    "CA_MD_TOO_WEAK": "a signature in its chain uses a hash that is broken",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "it knows only the old, unsafe renegotiation",
}
# What administrators call a CA that another one signed; a root is never named so. Whole words.
_BELOW_ROOT = re.compile(
    r"(?<![^\W_])(?:issuing|intermediate|subordinate|sub|policy)(?![^\W\d_])", re.IGNORECASE
)
NAMED_ROOT = re.compile(r"(?<![^\W_])root(?![^\W\d_])", re.IGNORECASE)
_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError("
)
_AZ_VERIFY = _AZ + "SSLCertVerificationError(1, "
_URLS = 4


@rule("tls-self-signed", Side.STAMP, _AZ_VERIFY + "'… self-signed certificate …')))")
def tls_self_signed(case: FailureContext) -> Explained | None:
    if (
        case.verify_code != VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT
        or not case.presented_chain
        or not case.presented_chain[0].self_issued
    ):
        return None
    if interceptor(case.verified_path):
        return None  # its issuer is named like a gateway: tls-intercepted tells
    leaf = case.presented_chain[0]
    evidence = (
        f"{leaf.common_name} is its own issuer, and no store in use holds it",
        f"its SHA-256 is {leaf.sha256}",
        *chain_lines(case.presented_chain),
        *route_lines(case),
    )
    remedies = (
        Remedy(
            f"The stamp's operator gives {case.host} a certificate that a CA has issued: all "
            "clients can trust that CA, and nobody can trust each certificate by itself"
        ),
        Remedy(
            f"If {case.host} should have one already, compare the SHA-256 with the operator's: "
            "something else may answer at this address"
        ),
    )
    return f"The certificate of {case.host} is signed by nobody but itself", evidence, remedies


@rule(
    "tls-missing-intermediate",
    Side.STAMP,
    _AZ_VERIFY + "'… unable to get local issuer certificate …')))",
)
def tls_missing_intermediate(case: FailureContext) -> Explained | None:
    if case.verify_code not in NO_ISSUER or why_intercepted(case):
        return None
    last = case.path_end
    # What cannot be read names no issuer.
    if last is None or last.self_issued or not last.issuer or _is_root_missing(case):
        return None
    why = _found_intermediates(case) or _why_intermediate(last)
    if not why:
        return None
    missing = last.issuer_name
    evidence = [f"{last.common_name} is issued by {missing}, which {case.host} does not send", *why]
    evidence += [f"its issuer can be had from (AIA) {url}" for url in last.issuer_urls[:_URLS]]
    evidence += case.completion.unanswered if case.completion else ()
    if not last.issuer_urls:
        evidence.append(f"{last.common_name} names no address of its issuer's certificate (no AIA)")
    remedies = [
        Remedy(
            f"The stamp's operator installs the chain whole: the certificate of {missing}, and "
            f"whatever is above it up to the root, in the PFX that serves {case.host}"
        ),
        Remedy(
            f"Until then, get the certificate of {missing} as PEM from the operator, and put it "
            f"beside the root in the file that ca under {case.section} names"
        ),
    ]
    title = f"{case.host} does not send the intermediate certificate {missing}"
    return title, (*evidence, *chain_lines(case.presented_chain)), tuple(remedies)


def _is_root_missing(case: FailureContext) -> bool:
    """Whether the missing certificate could be had and is a root: tls-untrusted-root tells."""
    found = case.completion.found if case.completion else ()
    return bool(found) and describe(found[0].der).self_issued


def _found_intermediates(case: FailureContext) -> list[str]:
    """The missing certificates themselves, where they could be had and are no roots."""
    completion = case.completion
    found = [(describe(each.der), each.where) for each in completion.found] if completion else []
    lines = [
        f"{certificate.common_name} was found in {', '.join(where)}: issued by "
        f"{certificate.issuer_name}, SHA-256 {certificate.sha256}"
        for certificate, where in found
        if not certificate.self_issued
    ]
    if lines and completion is not None and completion.trusted:
        lines.append("with it this box trusts the chain: nothing else is missing")
    return lines


def _why_intermediate(last: Certificate) -> list[str]:
    """How we know that the issuer of `last` is no root; empty where we do not.

    Then it may be an unknown root just as well, which only a root's own certificate could tell: a
    root that is sent beside it tells nothing, as no signature ties it to the leaf.
    """
    if NAMED_ROOT.search(last.issuer_name):
        return []
    if _BELOW_ROOT.search(last.issuer_name):
        return [f"{last.issuer_name} is named like a CA below a root, not like a root"]
    return []


@rule(
    "tls-weak",
    Side.STAMP,
    _AZ + "… '… EE certificate key too weak …' / '[SSL: UNSUPPORTED_PROTOCOL] …')))",
)
def tls_weak(case: FailureContext) -> Explained | None:
    why = _WEAK.get(case.verify_code or 0)
    refused = case.transport(TransportFaultKind.TLS_REFUSED)
    if refused and (refused.host, refused.port) == (case.host, case.port):
        reason = refused.detail.strip().upper().replace(" ", "_")
        why = _WEAK_REASONS.get(reason)
    if why is None:
        return None
    offered = [
        f"{each.common_name}: {each.key}, signed with {each.signature}"
        for each in case.presented_chain
        if not each.unreadable
    ]
    evidence = (*fault_lines(case.fault), *offered[:8], *route_lines(case))
    remedies = (
        Remedy(
            f"The stamp's operator mends it: certificates with RSA keys of 2048 bits or more and "
            f"SHA-256 signatures, TLS 1.2 or later, for {case.host}"
        ),
        Remedy(
            "Do not lower this box's rules (SECLEVEL, MinProtocol): others on the way could then "
            "read your secrets"
        ),
    )
    return f"What {case.host} offers is too weak to trust: {why}", evidence, remedies
