"""The fields of a certificate as values (RFC 5280): sanitised and bounded text, numbers, names."""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    SignatureAlgorithmOID,
)

from stacktui.errors import is_exhaustion
from stacktui.text.sanitize import escape_control_chars

# A stamp's certificates have about 20 names; a name has at most 253 characters (RFC 1035).
MAX_NAMES = 200
MAX_TEXT = 500
MAX_URLS = 8


def _text(text: str) -> str:
    """Return text of a certificate, sanitised and bounded in length."""
    shown = escape_control_chars(text[:MAX_TEXT])
    return shown if len(text) <= MAX_TEXT else f"{shown}…"


# RFC 4514 has no short name for it: it would be shown as digits.
_SHORT_NAMES = {NameOID.EMAIL_ADDRESS: "emailAddress"}


def name_text(name: x509.Name) -> str:
    return _text(name.rfc4514_string(_SHORT_NAMES))


def common_name(name: x509.Name) -> str:
    """Return the last common name, else the last attribute: what identifies it to a reader."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME) or list(name)
    return _text(str(found[-1].value)) if found else "(no name)"


# The kinds of alternative names that a reader is shown (RFC 5280 section 4.2.1.6).
_KINDS: dict[type[x509.GeneralName], str] = {
    x509.DNSName: "DNS",
    x509.IPAddress: "IP",
    x509.UniformResourceIdentifier: "URI",
    x509.RFC822Name: "email",
}


def alternative_names(certificate: x509.Certificate) -> tuple[tuple[str, str], ...]:
    """Return kind (DNS, IP, URI, email) and value of each name."""
    value = _extension(certificate, x509.SubjectAlternativeName)
    if value is None:
        return ()
    named = (name for name in value if type(name) in _KINDS)
    return tuple((_KINDS[type(name)], _text(str(name.value))) for name in islice(named, MAX_NAMES))


def is_ca(certificate: x509.Certificate) -> bool:
    value = _extension(certificate, x509.BasicConstraints)
    if value is None:
        # Before version 3 there were no extensions, and a self-signed certificate was a root.
        return certificate.version is x509.Version.v1 and certificate.subject == certificate.issuer
    return value.ca


E = TypeVar("E", bound=x509.ExtensionType)


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


_UNUSABLE = {
    "1.2.840.113549.1.1.1": "unusable RSA",  # such as one with the exponent 1
    "1.2.840.10045.2.1": "EC on an unknown curve",
    "1.2.840.10040.4.1": "unusable DSA",
}


def public_key(certificate: x509.Certificate) -> tuple[str, int, str]:
    """Return type, bits and curve of the public key."""
    try:
        key = certificate.public_key()
    except Exception as error:  # a kind of key that cryptography does not know, or damaged
        if is_exhaustion(error):
            raise
        oid = certificate.public_key_algorithm_oid.dotted_string
        return _UNUSABLE.get(oid, oid), 0, ""
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size, ""
        case ec.EllipticCurvePublicKey():
            return "EC", key.key_size, key.curve.name
        case dsa.DSAPublicKey():
            return "DSA", key.key_size, ""
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256, ""
        case ed448.Ed448PublicKey():
            return "Ed448", 456, ""
        case _:
            return type(key).__name__.removesuffix("PublicKey"), 0, ""


# The names that OpenSSL prints; those of RFC 4055 section 6 and RFC 5758 section 3.2.
_SIGNATURES = {
    SignatureAlgorithmOID.RSA_WITH_MD5: "md5WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA1: "sha1WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA224: "sha224WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "sha256WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "sha384WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "sha512WithRSAEncryption",
    SignatureAlgorithmOID.RSASSA_PSS: "rsassaPss",
    SignatureAlgorithmOID.ECDSA_WITH_SHA1: "ecdsa-with-SHA1",
    SignatureAlgorithmOID.ECDSA_WITH_SHA224: "ecdsa-with-SHA224",
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ecdsa-with-SHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ecdsa-with-SHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ecdsa-with-SHA512",
    SignatureAlgorithmOID.ED25519: "ED25519",
    SignatureAlgorithmOID.ED448: "ED448",
}
_SHA1_RSA_OF_OIW = "1.3.14.3.2.29"  # sha1WithRSA, as some old tools write it


def signature_name(certificate: x509.Certificate) -> str:
    oid = certificate.signature_algorithm_oid
    return _SIGNATURES.get(oid, oid.dotted_string)


def signature_hash(certificate: x509.Certificate) -> str:
    if certificate.signature_algorithm_oid.dotted_string == _SHA1_RSA_OF_OIW:
        return "SHA1"
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name.upper() if algorithm else ""


# Bits and names of RFC 5280 section 4.2.1.3.
_KEY_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}


def key_usage(certificate: x509.Certificate) -> tuple[str, ...] | None:
    value = _extension(certificate, x509.KeyUsage)
    if value is None:
        return None
    return tuple(name for bit, name in _KEY_USAGES.items() if getattr(value, bit))


def extended_key_usage(certificate: x509.Certificate) -> tuple[str, ...] | None:
    value = _extension(certificate, x509.ExtendedKeyUsage)
    if value is None:
        return None
    return tuple(_PURPOSES.get(oid, oid.dotted_string) for oid in islice(value, MAX_NAMES))


def issuer_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    value = _extension(certificate, x509.AuthorityInformationAccess)
    urls = (
        each.access_location.value
        for each in value or ()
        if each.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(each.access_location, x509.UniformResourceIdentifier)
    )
    return tuple(_text(url) for url in islice(urls, MAX_URLS))


def crl_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    value = _extension(certificate, x509.CRLDistributionPoints)
    urls = (
        name.value
        for point in value or ()
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    )
    return tuple(_text(url) for url in islice(urls, MAX_URLS))
