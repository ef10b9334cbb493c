"""A service principal's certificate file (PEM with key), checked before anybody is asked.

MSAL would fail late and vaguely on most of these files; here each has its own name. Needs
`cryptography`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1, sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from stacktui.certificates.files import entries
from stacktui.config.bounded_read import FileReadError, ReadProblem, read_bounded
from stacktui.identities.faults import CertificateFault, CertificateProblem, IdentityError
from stacktui.identities.model import CertificateRef
from stacktui.text.sanitize import visible

MAX_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A usable certificate and key. Thumbprints are of the DER, hex as MSAL wants them.

    `ends` is when its validity ends, UTC.

    Entra takes the SHA-256 thumbprint, AD FS the SHA-1 one only (PROTOCOL.md section 2).
    """

    key_pem: str = field(repr=False)
    certificate_pem: str
    sha1: str
    sha256: str
    ends: datetime


def load_certificate(reference: CertificateRef, now: datetime) -> ClientCertificate:
    """Read and check the file. Blocks on disk. Raises IdentityError with a CertificateFault."""
    path = reference.path
    content = _read(path)
    certificate = _certificate(path, content)
    key = _key(path, content)
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*spki) != certificate.public_key().public_bytes(*spki):
        detail = "the private key in the file belongs to another certificate"
        raise _error(path, CertificateProblem.KEY_MISMATCH, detail)
    _check_validity(path, certificate, now.astimezone(UTC))
    der = certificate.public_bytes(Encoding.DER)
    return ClientCertificate(
        key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate_pem=certificate.public_bytes(Encoding.PEM).decode(),
        # Not a signature: the name by which AD FS looks a certificate up.
        sha1=sha1(der, usedforsecurity=False).hexdigest(),
        sha256=sha256(der).hexdigest(),
        ends=certificate.not_valid_after_utc,
    )


_READ_PROBLEMS = {
    ReadProblem.MISSING: CertificateProblem.MISSING,
    ReadProblem.UNREADABLE: CertificateProblem.UNREADABLE,
    ReadProblem.TOO_LARGE: CertificateProblem.NO_CERTIFICATE,
}


def _read(path: Path) -> bytes:
    try:
        return read_bounded(path, MAX_SIZE)
    except FileReadError as error:
        raise _error(path, _READ_PROBLEMS[error.problem], error.detail) from None


def _certificate(path: Path, content: bytes) -> x509.Certificate:
    if content[:1] == b"\x30" and b"-----BEGIN" not in content:
        # PKCS#12 and a DER certificate both start with a SEQUENCE; only the first can hold a key.
        detail = "binary content: a PFX (PKCS#12) or DER file, where PEM with key is needed"
        raise _error(path, CertificateProblem.PFX, detail)
    # The block alone, so that damage elsewhere in the file is not taken for the certificate's.
    entry = next(entries(content), None)
    if entry is not None:
        return _parsed(path, entry.der)
    detail = "no PEM certificate" if content.strip() else "the file is empty"
    if b"PRIVATE KEY-----" in content:
        detail = "a private key, but no certificate"
    raise _error(path, CertificateProblem.NO_CERTIFICATE, detail)


def _parsed(path: Path, der: bytes) -> x509.Certificate:
    """The certificate, with a key and dates that can be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.public_key(), certificate.not_valid_before_utc
        _ = certificate.not_valid_after_utc
    except Exception:  # cryptography raises many kinds, some only when a part is read
        detail = "the certificate cannot be read"
        raise _error(path, CertificateProblem.NO_CERTIFICATE, detail) from None
    return certificate


def _key(path: Path, content: bytes) -> RSAPrivateKey:
    if b"PRIVATE KEY-----" not in content:
        raise _error(path, CertificateProblem.NO_KEY, "a certificate, but no private key")
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        detail = "the private key is encrypted, and no password is configured"
        raise _error(path, CertificateProblem.ENCRYPTED, detail) from None
    except Exception as error:  # cryptography raises many kinds on a damaged key
        detail = f"the private key cannot be read: {type(error).__name__}"
        raise _error(path, CertificateProblem.NO_KEY, detail) from None
    if not isinstance(key, RSAPrivateKey):
        detail = "the key is not RSA; Entra and AD FS accept RSA only"
        raise _error(path, CertificateProblem.KEY_TYPE, detail)
    return key


def _check_validity(path: Path, certificate: x509.Certificate, now: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        days = (now - end).days
        detail = f"expired on {end:%Y-%m-%d}, {days} days ago"
        raise _error(path, CertificateProblem.EXPIRED, detail)
    if now < start:
        detail = f"valid from {start:%Y-%m-%d %H:%M} UTC; this box says {now:%Y-%m-%d %H:%M} UTC"
        raise _error(path, CertificateProblem.NOT_YET_VALID, detail)


def _error(path: Path, problem: CertificateProblem, detail: str) -> IdentityError:
    return IdentityError(CertificateFault(visible(str(path)), problem, visible(detail)))
