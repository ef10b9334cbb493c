"""Whether one certificate signed another. Needs `cryptography`.

"Cannot be computed" is not "is false": the library refuses old hashes (its
`verify_directly_issued_by` knows no SHA-1) and unknown kinds of keys, and some keys are too
expensive to try.
"""

from __future__ import annotations

from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import SignatureAlgorithmOID

from stacktui.errors import is_exhaustion

_RSA = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_MD5,
        SignatureAlgorithmOID.RSA_WITH_SHA1,
        SignatureAlgorithmOID.RSA_WITH_SHA224,
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
    }
)
_ECDSA = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA224,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
_DSA = frozenset({SignatureAlgorithmOID.DSA_WITH_SHA1, SignatureAlgorithmOID.DSA_WITH_SHA256})
# Far beyond the keys of real CAs: what one signature costs is a few milliseconds at most.
_MAX_EXPONENT = 2**32
_MAX_RSA, _MAX_DSA, _MAX_EC = 8192, 3072, 521


class Signature(StrEnum):
    """The result of a verification. FALSE was computed; UNKNOWN could not be."""

    VALID = "valid"
    FALSE = "false"
    UNKNOWN = "unknown"


def signature_by(der: bytes, issuer: bytes) -> Signature:
    """Return whether `issuer` (DER) signed `der`. Never raises.

    FALSE, too, for other names (RFC 5280 section 6.1.3) and for an issuer that cannot be read.
    UNKNOWN for an algorithm that is not known here, and for a key that makes it expensive.
    """
    try:
        lower, upper = x509.load_der_x509_certificate(der), x509.load_der_x509_certificate(issuer)
        if lower.issuer != upper.subject:
            return Signature.FALSE
    except Exception as error:  # network bytes: cryptography raises many kinds
        if is_exhaustion(error):
            raise
        return Signature.FALSE
    try:
        key = upper.public_key()
        if not _is_cheap(key):
            return Signature.UNKNOWN
        return _verified(lower, key)
    except InvalidSignature:
        return Signature.FALSE
    except Exception as error:  # UnsupportedAlgorithm, and ValueError for a key it cannot read
        if is_exhaustion(error):
            raise
        return Signature.UNKNOWN


def _verified(lower: x509.Certificate, key: CertificatePublicKeyTypes) -> Signature:
    """Compute the signature. Raises InvalidSignature, and what the library refuses."""
    signature, signed = lower.signature, lower.tbs_certificate_bytes
    match key:
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            key.verify(signature, signed)
            return Signature.VALID
        case rsa.RSAPublicKey() | ec.EllipticCurvePublicKey() | dsa.DSAPublicKey():
            pass
        case _:
            return Signature.UNKNOWN
    hash_, oid = lower.signature_hash_algorithm, lower.signature_algorithm_oid
    if hash_ is None:
        return Signature.FALSE  # the signature of another kind of key
    # Not `signature_algorithm_parameters` alone, which the library leaves out for old hashes.
    match key:
        case rsa.RSAPublicKey() if oid == SignatureAlgorithmOID.RSASSA_PSS:
            pss = lower.signature_algorithm_parameters
            if not isinstance(pss, padding.PSS):
                return Signature.UNKNOWN
            key.verify(signature, signed, pss, hash_)
        case rsa.RSAPublicKey() if oid in _RSA:
            key.verify(signature, signed, padding.PKCS1v15(), hash_)
        case ec.EllipticCurvePublicKey() if oid in _ECDSA:
            key.verify(signature, signed, ec.ECDSA(hash_))
        case dsa.DSAPublicKey() if oid in _DSA:
            key.verify(signature, signed, hash_)
        case _:
            # A known algorithm of another kind of key is false; others may be of this one.
            return Signature.FALSE if oid in _RSA | _ECDSA | _DSA else Signature.UNKNOWN
    return Signature.VALID


def _is_cheap(key: CertificatePublicKeyTypes) -> bool:
    match key:
        case rsa.RSAPublicKey():
            return key.key_size <= _MAX_RSA and key.public_numbers().e <= _MAX_EXPONENT
        case dsa.DSAPublicKey():
            return key.key_size <= _MAX_DSA
        case ec.EllipticCurvePublicKey():
            return key.key_size <= _MAX_EC
    return True
