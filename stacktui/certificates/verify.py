"""Verify a presented chain with any trust store offline, by OpenSSL itself.

The host is not contacted again. A TLS client of the standard library reads a server's first two
messages (ServerHello and Certificate, RFC 5246 section 7.4) from memory. OpenSSL verifies the chain
as soon as it has read it, before the proof of the key, so its verdict is the same as on a live
connection: path, trust, name, dates, purposes and security level.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from stacktui.errors import is_exhaustion


class VerifyCode(IntEnum):
    """The verify codes of OpenSSL that we use: X509_V_ERR_… of x509_vfy.h, by its names."""

    UNABLE_TO_GET_ISSUER_CERT = 2
    CERT_SIGNATURE_FAILURE = 7
    CERT_NOT_YET_VALID = 9
    CERT_HAS_EXPIRED = 10
    DEPTH_ZERO_SELF_SIGNED_CERT = 18
    SELF_SIGNED_CERT_IN_CHAIN = 19
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20
    UNABLE_TO_VERIFY_LEAF_SIGNATURE = 21
    CERT_CHAIN_TOO_LONG = 22
    NO_ISSUER_PUBLIC_KEY = 24
    PATH_LENGTH_EXCEEDED = 25
    INVALID_PURPOSE = 26
    KEYUSAGE_NO_CERTSIGN = 32
    UNHANDLED_CRITICAL_EXTENSION = 34
    INVALID_NON_CA = 37
    KEYUSAGE_NO_DIGITAL_SIGNATURE = 39
    INVALID_EXTENSION = 41
    INVALID_POLICY_EXTENSION = 42
    UNSUPPORTED_EXTENSION_FEATURE = 45
    PERMITTED_VIOLATION = 47
    EXCLUDED_VIOLATION = 48
    SUBTREE_MINMAX = 49
    UNSUPPORTED_CONSTRAINT_TYPE = 51
    UNSUPPORTED_CONSTRAINT_SYNTAX = 52
    UNSUPPORTED_NAME_SYNTAX = 53
    HOSTNAME_MISMATCH = 62
    IP_ADDRESS_MISMATCH = 64
    EE_KEY_TOO_SMALL = 66
    CA_KEY_TOO_SMALL = 67
    CA_MD_TOO_WEAK = 68
    UNSUPPORTED_SIGNATURE_ALGORITHM = 76
    SIGNATURE_ALGORITHM_MISMATCH = 77
    SIGNATURE_ALGORITHM_INCONSISTENCY = 78
    INVALID_CA = 79
    PATHLEN_INVALID_FOR_NON_CA = 80
    PATHLEN_WITHOUT_KU_KEY_CERT_SIGN = 81
    KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA = 82
    ISSUER_NAME_EMPTY = 83
    SUBJECT_NAME_EMPTY = 84
    MISSING_AUTHORITY_KEY_IDENTIFIER = 85
    MISSING_SUBJECT_KEY_IDENTIFIER = 86
    EMPTY_SUBJECT_ALT_NAME = 87
    EMPTY_SUBJECT_SAN_NOT_CRITICAL = 88
    CA_BCONS_NOT_CRITICAL = 89
    AUTHORITY_KEY_IDENTIFIER_CRITICAL = 90
    SUBJECT_KEY_IDENTIFIER_CRITICAL = 91
    CA_CERT_MISSING_KEY_USAGE = 92
    EXTENSIONS_REQUIRE_VERSION_3 = 93
    EC_KEY_EXPLICIT_PARAMS = 94


# The presented chain ends: an issuer is missing, or the root is not trusted.
NO_ISSUER = frozenset(
    {VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY, VerifyCode.UNABLE_TO_VERIFY_LEAF_SIGNATURE}
)
# The chain leads to no trusted root; the first code is for one that continues in the store.
ROOTLESS = NO_ISSUER | {
    VerifyCode.UNABLE_TO_GET_ISSUER_CERT,
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT,
    VerifyCode.SELF_SIGNED_CERT_IN_CHAIN,
}
DATES = frozenset({VerifyCode.CERT_NOT_YET_VALID, VerifyCode.CERT_HAS_EXPIRED})
NAMES = frozenset({VerifyCode.HOSTNAME_MISMATCH, VerifyCode.IP_ADDRESS_MISMATCH})
WEAK = frozenset(
    {VerifyCode.EE_KEY_TOO_SMALL, VerifyCode.CA_KEY_TOO_SMALL, VerifyCode.CA_MD_TOO_WEAK}
)
# Certificates that may not be used so, or are not made as a client demands: VERIFY_X509_STRICT,
# which Python sets from 3.13, adds the codes from 79 on.
UNSUITABLE: Mapping[int, str] = {
    VerifyCode.CERT_CHAIN_TOO_LONG: "the chain is longer than clients follow",
    VerifyCode.NO_ISSUER_PUBLIC_KEY: "the key of a CA cannot be read",
    VerifyCode.PATH_LENGTH_EXCEEDED: "a CA allows fewer CAs below it than there are",
    VerifyCode.INVALID_PURPOSE: "a certificate may not be used for servers (extended key usage)",
    VerifyCode.KEYUSAGE_NO_CERTSIGN: "a CA's key usage does not allow to sign certificates",
    VerifyCode.UNHANDLED_CRITICAL_EXTENSION: "a critical extension is unknown to clients",
    VerifyCode.INVALID_NON_CA: "a certificate that must be no CA's is one",
    VerifyCode.KEYUSAGE_NO_DIGITAL_SIGNATURE: "the key usage does not allow digital signatures",
    VerifyCode.INVALID_EXTENSION: "an extension is invalid",
    VerifyCode.INVALID_POLICY_EXTENSION: "a policy extension is invalid",
    VerifyCode.UNSUPPORTED_EXTENSION_FEATURE: "an extension asks for what clients do not support",
    VerifyCode.PERMITTED_VIOLATION: "a CA may not sign for this name (name constraints)",
    VerifyCode.EXCLUDED_VIOLATION: "a CA is forbidden to sign for this name (name constraints)",
    VerifyCode.SUBTREE_MINMAX: "name constraints have distances, which clients do not support",
    VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE: "name constraints are of a kind unknown to clients",
    VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX: "name constraints cannot be read",
    VerifyCode.UNSUPPORTED_NAME_SYNTAX: "a name cannot be compared with name constraints",
    VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM: "it is signed in a way unknown to clients",
    VerifyCode.SIGNATURE_ALGORITHM_MISMATCH: "the signature is not of its issuer's kind of key",
    VerifyCode.SIGNATURE_ALGORITHM_INCONSISTENCY: "it names two different signature algorithms",
    VerifyCode.INVALID_CA: "an issuer is no CA (basic constraints)",
    VerifyCode.PATHLEN_INVALID_FOR_NON_CA: "it has a path length but is no CA",
    VerifyCode.PATHLEN_WITHOUT_KU_KEY_CERT_SIGN: (
        "a CA has a path length, but its key usage does not allow to sign certificates"
    ),
    VerifyCode.KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA: (
        "its key usage allows to sign certificates, but it is no CA"
    ),
    VerifyCode.ISSUER_NAME_EMPTY: "the issuer has no name",
    VerifyCode.SUBJECT_NAME_EMPTY: "a CA has no name",
    VerifyCode.MISSING_AUTHORITY_KEY_IDENTIFIER: "the authority key identifier is missing",
    VerifyCode.MISSING_SUBJECT_KEY_IDENTIFIER: "a CA has no subject key identifier",
    VerifyCode.EMPTY_SUBJECT_ALT_NAME: "its subject alternative names are empty",
    VerifyCode.EMPTY_SUBJECT_SAN_NOT_CRITICAL: (
        "it has no subject, and its alternative names are not critical"
    ),
    VerifyCode.CA_BCONS_NOT_CRITICAL: "a CA's basic constraints are not critical",
    VerifyCode.AUTHORITY_KEY_IDENTIFIER_CRITICAL: "the authority key identifier is critical",
    VerifyCode.SUBJECT_KEY_IDENTIFIER_CRITICAL: "the subject key identifier is critical",
    VerifyCode.CA_CERT_MISSING_KEY_USAGE: "a CA has no key usage",
    VerifyCode.EXTENSIONS_REQUIRE_VERSION_3: "it has extensions, but is not of version 3",
    VerifyCode.EC_KEY_EXPLICIT_PARAMS: "an EC key names its curve by parameters",
}
WORDS: Mapping[int, str] = {
    VerifyCode.CERT_SIGNATURE_FAILURE: "bad signature",
    VerifyCode.CERT_NOT_YET_VALID: "not yet valid",
    VerifyCode.CERT_HAS_EXPIRED: "expired",
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed",
    VerifyCode.SELF_SIGNED_CERT_IN_CHAIN: "root unknown",
    **dict.fromkeys(NO_ISSUER | {VerifyCode.UNABLE_TO_GET_ISSUER_CERT}, "issuer unknown"),
    **dict.fromkeys(UNSUITABLE, "unsuitable"),
    VerifyCode.INVALID_CA: "not a CA",
    VerifyCode.INVALID_PURPOSE: "wrong purpose",
    **dict.fromkeys(NAMES, "wrong name"),
    VerifyCode.EE_KEY_TOO_SMALL: "weak key",
    VerifyCode.CA_KEY_TOO_SMALL: "weak key",
    VerifyCode.CA_MD_TOO_WEAK: "weak signature",
}
_OTHER = "not trusted"

# TLS 1.2, whose Certificate message is not encrypted yet.
_VERSION = b"\x03\x03"
_HANDSHAKE, _SERVER_HELLO, _CERTIFICATE = b"\x16", b"\x02", b"\x0b"
# ECDHE_RSA_WITH_AES_128_GCM_SHA256, which every client offers. That the key may be of another
# kind is asked only after the chain was judged.
_CIPHER = b"\xc0\x2f"
# An empty renegotiation_info (RFC 5746 section 3.6), without which OpenSSL 3 goes no further.
_EXTENSIONS = b"\xff\x01\x00\x01\x00"
_MAX_RECORD = 16384
# The maximum of a three-byte length (RFC 5246 section 7.4.2). OpenSSL accepts far less.
_MAX_MESSAGE = 2**24 - 4


@dataclass(frozen=True, slots=True)
class Verification:
    """OpenSSL's verdict: `code` is its X509_V_ERR number, 0 if the chain is trusted."""

    code: int
    message: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def word(self) -> str:
        """The verdict in one or two words, for a column."""
        return "trusted" if self.ok else word_of(self.code)


def is_rooted(code: int | None) -> bool:
    """Return whether OpenSSL, which ended with this code, had found the way to a trusted root.

    It looks for that first, then at extensions, strength and name, at last at signatures and dates,
    from the root down (`verify_chain` of its x509_vfy.c). None: nothing was wrong.
    """
    refused_later = code in DATES | NAMES | WEAK or code in UNSUITABLE
    return not code or (refused_later and code != VerifyCode.CERT_CHAIN_TOO_LONG)


def word_of(code: int) -> str:
    """Return a refusal in one or two words."""
    return WORDS.get(code, _OTHER)


def verify(chain: Sequence[bytes], host: str, context: ssl.SSLContext) -> Verification:
    """Return the verdict of a client with `context` on a host's `chain` (DER, leaf first).

    The context must verify, and allow TLS 1.2. Makes no connection. Never raises for a chain's
    content: a chain that OpenSSL cannot read has code -1 and OpenSSL's reason.
    """
    if sum(len(der) + 3 for der in chain) > _MAX_MESSAGE:
        return Verification(-1, "excessive message size")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=host)
    try:
        try:
            client.do_handshake()  # the ClientHello
        except ssl.SSLWantReadError:
            incoming.write(_records(_server_hello() + _certificate(chain)))
        client.do_handshake()
    except ssl.SSLWantReadError:
        return Verification(0)  # the chain is accepted, and the proof of the key awaited
    except ssl.SSLCertVerificationError as error:
        return Verification(error.verify_code, error.verify_message)
    except ssl.SSLError as error:
        if is_exhaustion(error):
            raise
        if error.reason == "WRONG_CERTIFICATE_TYPE":
            return Verification(0)  # accepted too: only the cipher does not go with the key
        return Verification(-1, (error.reason or "unreadable").replace("_", " ").lower())
    raise AssertionError("a handshake cannot end without a server")


def _server_hello() -> bytes:
    random, session, compression = bytes(32), b"\x00", b"\x00"
    body = _VERSION + random + session + _CIPHER + compression
    return _message(_SERVER_HELLO, body + len(_EXTENSIONS).to_bytes(2) + _EXTENSIONS)


def _certificate(chain: Sequence[bytes]) -> bytes:
    listed = b"".join(len(der).to_bytes(3) + der for der in chain)
    return _message(_CERTIFICATE, len(listed).to_bytes(3) + listed)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(3) + body


def _records(messages: bytes) -> bytes:
    return b"".join(
        _HANDSHAKE + _VERSION + len(part).to_bytes(2) + part
        for part in (
            messages[start : start + _MAX_RECORD] for start in range(0, len(messages), _MAX_RECORD)
        )
    )
