"""A service principal's certificate file (PEM or PFX, with key), checked before the sign-in.

MSAL would fail late and vaguely on most unusable files; here each has its own problem. Needs
`cryptography`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1, sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from stacktui.certificates.errors import CertificateError
from stacktui.certificates.files import CertificateFileError, FileProblem
from stacktui.certificates.key_bundle import (
    Form,
    KeyBundle,
    KeyBundleError,
    PasswordError,
    PrivateKeyError,
    read_client_bundle,
)
from stacktui.certificates.readiness import KeyFound
from stacktui.certificates.repair_file import plan_repair
from stacktui.errors import is_exhaustion
from stacktui.identities.faults import CertificateFault, CertificateProblem, IdentityError
from stacktui.identities.model import CertificateRef
from stacktui.text.sanitize import escape_control_chars


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


def load_certificate(
    reference: CertificateRef, now: datetime, password: str | None = None
) -> ClientCertificate:
    """Read and check the file. Blocks on disk. Raises IdentityError with a CertificateFault."""
    path = reference.path
    bundle = _read(path, password)
    certificate = _parsed(path, bundle.chain[0])  # the one that az signs in with, too
    key = _key(path, bundle)
    _check_validity(path, certificate, now.astimezone(UTC))
    der = certificate.public_bytes(Encoding.DER)
    return ClientCertificate(
        key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        certificate_pem=certificate.public_bytes(Encoding.PEM).decode(),
        # Not a signature: AD FS finds a certificate by this digest.
        sha1=sha1(der, usedforsecurity=False).hexdigest(),
        sha256=sha256(der).hexdigest(),
        ends=certificate.not_valid_after_utc,
    )


_NONE = CertificateProblem.NO_CERTIFICATE
# The detail is empty where the reader has a better one.
_FILE_PROBLEMS = {
    FileProblem.MISSING: (CertificateProblem.MISSING, ""),
    FileProblem.UNREADABLE: (CertificateProblem.UNREADABLE, ""),
    FileProblem.TOO_LARGE: (_NONE, ""),
    FileProblem.EMPTY: (_NONE, "the file is empty"),
    FileProblem.KEY_ONLY: (_NONE, "a private key, but no certificate"),
    FileProblem.HTML: (_NONE, "no PEM certificate"),
    FileProblem.NO_CERTIFICATE: (_NONE, "no PEM certificate"),
    FileProblem.DER: (_NONE, "binary content that is no PFX (PKCS#12)"),
}


def _read(path: Path, password: str | None) -> KeyBundle:
    asked: list[Form] = []

    def ask(form: Form) -> str | None:
        asked.append(form)
        return password

    try:
        return read_client_bundle(path, ask)
    except CertificateFileError as error:
        problem, detail = _FILE_PROBLEMS[error.problem]
        detail = detail or error.detail or "no such file"
    except PrivateKeyError as error:
        problem = CertificateProblem.WRONG_PASSWORD if asked else CertificateProblem.NO_KEY
        detail = f"the private key cannot be read: {error.reason}"
    except PasswordError:
        problem = CertificateProblem.WRONG_PASSWORD
        detail = "the PFX does not open with it, or is damaged"
    except KeyBundleError as error:
        problem, detail = _NONE, str(error).removeprefix(f"{path} ")
        if asked and password is None:
            problem, detail = (
                CertificateProblem.PFX,
                "the PFX is encrypted, and no password is configured",
            )
    if problem in (_NONE, CertificateProblem.NO_KEY) and (why := _malformed(path)):
        problem, detail = CertificateProblem.MALFORMED, why
    raise _error(path, problem, detail)


def _malformed(path: Path) -> str:
    """Return what is wrong with the file's form, if that is why it cannot be read."""
    with suppress(CertificateError):
        return str(plan_repair(path).repair or "")
    return ""


def _parsed(path: Path, der: bytes) -> x509.Certificate:
    """Return the certificate, with a key and dates that can be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.public_key(), certificate.not_valid_before_utc
        _ = certificate.not_valid_after_utc
    except Exception as error:  # cryptography raises many kinds, some only when a part is read
        if is_exhaustion(error):
            raise
        raise _error(path, _NONE, "the certificate cannot be read") from None
    return certificate


def _key(path: Path, bundle: KeyBundle) -> RSAPrivateKey:
    match bundle.key_found:
        case KeyFound.MISSING:
            raise _error(path, CertificateProblem.NO_KEY, "a certificate, but no private key")
        case KeyFound.LOCKED:
            detail = "the private key is encrypted, and no password is configured"
            raise _error(path, CertificateProblem.ENCRYPTED, detail)
    if not isinstance(bundle.key, RSAPrivateKey):
        detail = "the key is not RSA; Entra and AD FS accept RSA only"
        raise _error(path, CertificateProblem.KEY_TYPE, detail)
    if bundle.key_found is KeyFound.MATCHES and bundle.leaf != 0 and (why := _malformed(path)):
        raise _error(path, CertificateProblem.MALFORMED, f"{why}: az signs in with the first")
    if bundle.key_found is KeyFound.OTHER or bundle.leaf != 0:
        detail = "the private key in the file belongs to another certificate"
        raise _error(path, CertificateProblem.KEY_MISMATCH, detail)
    return bundle.key


def _check_validity(path: Path, certificate: x509.Certificate, now: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        days = (now - end).days
        detail = f"expired on {end:%Y-%m-%d}, {days} days ago"
        raise _error(path, CertificateProblem.EXPIRED, detail)
    if now < start:
        detail = (
            f"valid from {start:%Y-%m-%d %H:%M} UTC; this machine says {now:%Y-%m-%d %H:%M} UTC"
        )
        raise _error(path, CertificateProblem.NOT_YET_VALID, detail)


def _error(path: Path, problem: CertificateProblem, detail: str) -> IdentityError:
    return IdentityError(
        CertificateFault(escape_control_chars(str(path)), problem, escape_control_chars(detail))
    )
