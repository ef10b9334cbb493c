"""Verify a presented chain with any trust store offline, by OpenSSL itself.

The host is not contacted again. A TLS client of the standard library reads a server's first two
messages (ServerHello and Certificate, RFC 5246 section 7.4) from memory. OpenSSL verifies the chain
as soon as it has read it, before the proof of the key, so its verdict is the same as on a live
connection: path, trust, name, dates, purposes and security level.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
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
    INVALID_PURPOSE = 26
    HOSTNAME_MISMATCH = 62
    IP_ADDRESS_MISMATCH = 64
    EE_KEY_TOO_SMALL = 66
    CA_KEY_TOO_SMALL = 67
    CA_MD_TOO_WEAK = 68
    INVALID_CA = 79


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
WORDS = {
    VerifyCode.CERT_SIGNATURE_FAILURE: "bad signature",
    VerifyCode.CERT_NOT_YET_VALID: "not yet valid",
    VerifyCode.CERT_HAS_EXPIRED: "expired",
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed",
    VerifyCode.SELF_SIGNED_CERT_IN_CHAIN: "root unknown",
    **dict.fromkeys(NO_ISSUER | {VerifyCode.UNABLE_TO_GET_ISSUER_CERT}, "issuer unknown"),
    VerifyCode.INVALID_CA: "not a CA",
    VerifyCode.INVALID_PURPOSE: "wrong purpose",
    **dict.fromkeys(NAMES, "wrong name"),
    VerifyCode.EE_KEY_TOO_SMALL: "weak key",
    VerifyCode.CA_KEY_TOO_SMALL: "weak key",
    VerifyCode.CA_MD_TOO_WEAK: "weak signature",
}
_BY_NUMBER: dict[int, str] = {code.value: word for code, word in WORDS.items()}
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


def word_of(code: int) -> str:
    """Return a refusal in one or two words."""
    return _BY_NUMBER.get(code, _OTHER)


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
