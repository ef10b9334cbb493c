"""Chains that a stamp should not present: self-signed, incomplete, weak."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stacktui.certificates.interceptors import interceptor
from stacktui.certificates.verify import NO_ISSUER, ROOTLESS, UNSUITABLE, VerifyCode
from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.az_messages import AZ_TLS, AZ_VERIFY
from stacktui.diagnosis.context import FailureContext, described
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.formatting import chain_lines, route_lines
from stacktui.diagnosis.interceptors import why_intercepted
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.tls import (
    FIRST_CERTIFICATE_UNVERIFIED,
    HANDSHAKE_REFUSED,
    ISSUER_UNKNOWN,
    NOT_TRUSTED,
    TLS_FAILED,
    UNNAMED_TLS_FAILURE,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.transport.records import TransportFaultKind

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# Limits of what is shown: a server may present any number.
_CERTIFICATES = 8
_URLS = 4
_MIN_RSA_BITS = 2048


# tls-self-signed

_GIVE_ISSUED = RemedyTemplate(
    "The stamp's operator gives {host} a certificate that a CA has issued: all clients can trust "
    "that CA, and nobody can trust each certificate by itself",
    shown={"host": "the host"},
)
_COMPARE = RemedyTemplate(
    "If {host} should have one already, compare the SHA-256 with the operator's: something else "
    "may answer at this address",
    shown={"host": "the host"},
)


def _self_signed(failure: FailureContext) -> Explanation | None:
    if (
        failure.verify_code != VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT
        or not failure.presented_chain
        or not failure.presented_chain[0].self_issued
    ):
        return None
    if interceptor(failure.verified_path):
        return None  # its issuer is a gateway: tls-intercepted
    leaf = failure.presented_chain[0]
    evidence = (
        f"{leaf.common_name} is its own issuer, and no store in use holds it",
        f"its SHA-256 is {leaf.sha256}",
        *chain_lines(failure.presented_chain),
        *route_lines(failure),
    )
    remedies = (_GIVE_ISSUED.fill(host=failure.host), _COMPARE.fill(host=failure.host))
    title = f"The certificate of {failure.host} is signed by nobody but itself"
    return Explanation(title, evidence, remedies)


TLS_SELF_SIGNED = FaultInfo(
    id="tls-self-signed",
    group=Group.TLS,
    sides=(Side.STAMP,),
    meaning="The certificate is signed by nobody but itself.",
    distinguishing_evidence=(
        "One certificate is sent, and its issuer is its subject. A root of its own above it is "
        "`tls-untrusted-root`; an issuer named like a gateway `tls-intercepted`."
    ),
    az_says=AZ_VERIFY + "'… self-signed certificate …')))",
    patterns={
        MessagePattern(
            "the certificate is its own issuer (18)",
            r"(?<!with a )self[- ]signed certificate(?! in)|depth_zero_self_signed_cert"
            r"|verify error:num=18\b|error_self_signed_cert",
        ): 88,
    },
    remedies=(_GIVE_ISSUED, _COMPARE),
    rules=(_self_signed,),
)


# tls-missing-intermediate

# Whole words in names of intermediate CAs, never in names of roots.
_BELOW_ROOT = re.compile(
    r"(?<![^\W_])(?:issuing|intermediate|subordinate|sub|policy)(?![^\W\d_])", re.IGNORECASE
)
_ROOT = re.compile(r"(?<![^\W_])root(?![^\W\d_])", re.IGNORECASE)
_INSTALL_CHAIN = RemedyTemplate(
    "The stamp's operator installs the chain whole: the certificate of {missing}, and whatever is "
    "above it up to the root, in the PFX that serves {host}",
    shown={"missing": "the missing CA", "host": "the host"},
)
_ADD_TO_CA_FILE = RemedyTemplate(
    "Until then, get the certificate of {missing} as PEM from the operator, and put it beside the "
    "root in the file that ca under {section} names",
    shown={"missing": "the missing CA"},
)


def is_named_root(name: str) -> bool:
    """Return whether a CA's name says that it is a root."""
    return bool(_ROOT.search(name))


def _missing_intermediate(failure: FailureContext) -> Explanation | None:
    if failure.verify_code not in NO_ISSUER or why_intercepted(failure):
        return None
    last = failure.path_end
    # An unreadable certificate names no issuer.
    if last is None or last.self_issued or not last.issuer or _is_root_missing(failure):
        return None
    why = _found_intermediates(failure) or _why_intermediate(failure, last)
    if not why:
        return None
    host, missing = failure.host, last.issuer_name
    evidence = [f"{last.common_name} is issued by {missing}, which {host} does not send", *why]
    evidence += [f"its issuer can be had from (AIA) {url}" for url in last.issuer_urls[:_URLS]]
    evidence += failure.completion.unanswered if failure.completion else ()
    if not last.issuer_urls:
        evidence.append(f"{last.common_name} names no address of its issuer's certificate (no AIA)")
    evidence += [*chain_lines(failure.presented_chain), *route_lines(failure)]
    remedies = (
        _INSTALL_CHAIN.fill(missing=missing, host=host),
        _ADD_TO_CA_FILE.fill(missing=missing, section=failure.section),
    )
    title = f"{host} does not send the intermediate certificate {missing}"
    return Explanation(title, tuple(evidence), remedies)


def _is_root_missing(failure: FailureContext) -> bool:
    """Return whether the missing certificate was found and is a root: tls-untrusted-root."""
    found = failure.completion.found if failure.completion else ()
    return bool(found) and described(found[0].der).self_issued


def _found_intermediates(failure: FailureContext) -> list[str]:
    """Return lines on the missing certificates that were found and are no roots."""
    completion = failure.completion
    found = [(described(each.der), each.where) for each in completion.found] if completion else []
    lines = [
        f"{certificate.common_name} was found in {', '.join(where)}: issued by "
        f"{certificate.issuer_name}, SHA-256 {certificate.sha256}"
        for certificate, where in found
        if not certificate.self_issued
    ]
    if lines and completion is not None and completion.trusted:
        lines.append("with it this machine trusts the chain: nothing else is missing")
    return lines


def _why_intermediate(failure: FailureContext, last: Certificate) -> list[str]:
    """Return why the issuer of `last` is known to be no root; empty if it is unknown.

    If it is unknown, it may be an untrusted root. Only the root's certificate would show that: a
    root that is sent beside the leaf proves nothing, as no signature ties it to the leaf.
    """
    if is_named_root(last.issuer_name) or failure.namesakes:
        return []  # the second: a root of that name is in a file of this machine
    if _BELOW_ROOT.search(last.issuer_name):
        return [f"{last.issuer_name} is named like a CA below a root, not like a root"]
    return []


TLS_MISSING_INTERMEDIATE = FaultInfo(
    id="tls-missing-intermediate",
    group=Group.TLS,
    sides=(Side.STAMP,),
    meaning="The server does not send an intermediate certificate of its chain.",
    distinguishing_evidence=(
        "What is sent stops below a root, and the issuer that is missing is no root: the chain can "
        "be completed from this machine's stores or from the issuer's address (AIA), or the issuer "
        "is named as only CAs below a root are. A missing root alone is `tls-untrusted-root`. "
        "Browsers hide this fault, as they fetch or remember the intermediate."
    ),
    az_says=AZ_VERIFY + "'… unable to get local issuer certificate …')))",
    patterns={ISSUER_UNKNOWN: 83, FIRST_CERTIFICATE_UNVERIFIED: 84, NOT_TRUSTED: 40},
    remedies=(_INSTALL_CHAIN, _ADD_TO_CA_FILE),
    rules=(_missing_intermediate,),
)


# tls-weak

_WEAK: dict[int, str] = {
    VerifyCode.EE_KEY_TOO_SMALL: "its key is too small",
    VerifyCode.CA_KEY_TOO_SMALL: "the key of a CA in its chain is too small",
    VerifyCode.CA_MD_TOO_WEAK: "a signature in its chain uses a hash that is broken",
}
# OpenSSL's reasons (sslerr.h) for a handshake that only weaker rules would allow. Not those
# that only say that the server refused it (SSLV3_ALERT_HANDSHAKE_FAILURE).
_WEAK_REASONS = {
    "UNSUPPORTED_PROTOCOL": "it speaks only TLS versions before 1.2",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks neither TLS 1.2 nor 1.3",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "it knows no cipher that is allowed here",
    "DH_KEY_TOO_SMALL": "its Diffie-Hellman key is too small",
    # OpenSSL may also report these verify errors as the reason of a failed handshake.
    **{VerifyCode(code).name: why for code, why in _WEAK.items()},
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "it knows only the old, unsafe renegotiation",
}
_STRENGTHEN = RemedyTemplate(
    "The stamp's operator corrects it: certificates with RSA keys of 2048 bits or more and SHA-256 "
    "signatures, TLS 1.2 or later, for {host}",
    shown={"host": "the host"},
)
_KEEP_RULES = RemedyTemplate(
    "Do not lower this machine's rules (SECLEVEL, MinProtocol): others on the way could then read "
    "your secrets"
)


def _weak(failure: FailureContext) -> Explanation | None:
    why = _WEAK.get(failure.verify_code or 0)
    refused = failure.transport(TransportFaultKind.TLS_REFUSED)
    if refused and (refused.host, refused.port) == (failure.host, failure.port):
        reason = refused.detail.strip().upper().replace(" ", "_")
        why = _WEAK_REASONS.get(reason)
    if why is None:
        return None
    return _too_weak(failure, why, fault_lines(failure.fault))


def _also_weak(failure: FailureContext) -> Explanation | None:
    """Explain a weakness that OpenSSL did not come to, as it refused the chain before."""
    code = failure.verify_code
    before = code in ROOTLESS or code in UNSUITABLE
    if not before or why_intercepted(failure):
        return None
    found = enumerate(failure.verified_path)
    why = next((why for depth, each in found if (why := _weakness(each, depth))), None)
    return None if why is None else _too_weak(failure, why, [])


def _weakness(certificate: Certificate, depth: int) -> str | None:
    """Return what OpenSSL's security level 2 refuses of a certificate of the path."""
    if certificate.key_type == "RSA" and certificate.key_bits < _MIN_RSA_BITS:
        return _WEAK[VerifyCode.CA_KEY_TOO_SMALL if depth else VerifyCode.EE_KEY_TOO_SMALL]
    if certificate.signature_hash in ("MD5", "SHA1") and not certificate.self_issued:
        return _WEAK[VerifyCode.CA_MD_TOO_WEAK]
    return None


def _too_weak(failure: FailureContext, why: str, said: Sequence[str]) -> Explanation:
    offered = [
        f"{each.common_name}: {each.key}, signed with {each.signature}"
        for each in failure.presented_chain
        if not each.unreadable
    ]
    evidence = (*said, *offered[:_CERTIFICATES], *route_lines(failure))
    title = f"What {failure.host} offers is too weak to trust: {why}"
    return Explanation(title, evidence, (_STRENGTHEN.fill(host=failure.host), _KEEP_RULES.fill()))


TLS_WEAK = FaultInfo(
    id="tls-weak",
    group=Group.TLS,
    sides=(Side.STAMP,),
    meaning="Key, signature or protocol of the stamp is too weak for this machine's rules.",
    distinguishing_evidence=(
        "The report says what was offered: the size of the key, the hash of the signature, or "
        "the version of TLS. A handshake that ends without a word is `tcp-reset`."
    ),
    az_says=AZ_TLS + "… '… EE certificate key too weak …' / '[SSL: UNSUPPORTED_PROTOCOL] …')))",
    patterns={
        MessagePattern(
            "key, signature or protocol is too weak",
            r"(?:ee|ca) certificate key too weak|(?:ee|ca)[_ ]key[_ ]too[_ ]small"
            r"|ca md too weak|ca_md_too_weak|dh_key_too_small|dh key too small"
            r"|unsupported_protocol|unsupported protocol|alert_protocol_version"
            r"|alert protocol version|insufficient_security|insufficient security"
            r"|unsafe_legacy_renegotiation|unsafe legacy renegotiation"
            r"|wrong signature type|sec_e_algorithm_mismatch|no protocols available"
            r"|possess a common algorithm|0x80090331|protocol_version|'protocolversion'"
            r"|no (?:cipher suites?|protocols?) in common|no appropriate protocol"
            r"|selected unsupported protocol version|protocol version not supported"
            r"|no_cypher_overlap|error_unsupported_version|insecure algorithm"
            r"|digest algorithm too weak"
            r"|algorithm constraints|signature_algorithm_disabled"
            r"|weak_(?:signature_algorithm|key)|version_or_cipher_mismatch|obsolete_version"
            r"|gnutls_handshake\(\) failed: handshake failed",
        ): 90,
        HANDSHAKE_REFUSED: 60,
        UNNAMED_TLS_FAILURE: 51,
        TLS_FAILED: 20,
    },
    remedies=(_STRENGTHEN, _KEEP_RULES),
    rules=(_weak,),
    beside_rules=(_also_weak,),
)
