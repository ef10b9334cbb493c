"""What a certificate says, as values (RFC 5280). Parsing needs `cryptography`, which is slow to
import: only what shows or judges a chain imports this module."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID, NameOID

from stacktui.transport.text import visible

# It is said of odd certificates, on stderr, which may be under the dashboard. Once and for all:
# catch_warnings would undo the filters that another thread sets meanwhile (requests does).
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)


# A stamp's certificates have about 20 names; a name has at most 253 characters (RFC 1035).
MAX_NAMES = 200
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate; text is cleaned, times are UTC, fingerprints are of the DER.

    `names` are the subject alternative names (DNS and IP), at most MAX_NAMES of them. `sha256` is
    in colon form, upper case.
    `unreadable` says why nothing else could be read; then the other fields are empty.
    """

    sha256: str
    subject: str = ""
    issuer: str = ""
    common_name: str = ""
    issuer_name: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    serial: str = ""
    is_ca: bool = False
    self_issued: bool = False
    unreadable: str = ""

    def days_left(self, now: datetime) -> int | None:
        """Whole days until `not_after`; negative once it has passed; None if unreadable."""
        return None if self.not_after is None else (self.not_after - now).days


def fingerprint(der: bytes) -> str:
    """SHA-256 of the DER as other tools print it: `9F:2C:…`."""
    return sha256(der).digest().hex(":").upper()


def describe(der: bytes) -> Certificate:
    """Read one certificate; never raises."""
    print_ = fingerprint(der)
    try:
        return _read(der, print_)
    except Exception as error:  # network bytes: cryptography raises many kinds
        return Certificate(sha256=print_, unreadable=visible(str(error) or type(error).__name__))


def _read(der: bytes, print_: str) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    return Certificate(
        sha256=print_,
        subject=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        common_name=_common_name(certificate.subject),
        issuer_name=_common_name(certificate.issuer),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=f"{certificate.serial_number:X}",
        is_ca=_is_ca(certificate),
        self_issued=certificate.subject == certificate.issuer,
    )


def _text(text: str) -> str:
    """Text of a certificate as it may be shown: harmless, and bounded in length."""
    shown = visible(text[:MAX_TEXT])
    return shown if len(text) <= MAX_TEXT else f"{shown}…"


def _name(name: x509.Name) -> str:
    return _text(name.rfc4514_string())


def _common_name(name: x509.Name) -> str:
    """The last common name, else the last attribute, as the eye looks for it."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME) or list(name)
    return _text(str(found[-1].value)) if found else "(no name)"


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except x509.ExtensionNotFound:
        return ()
    value = extension.value
    if not isinstance(value, x509.SubjectAlternativeName):
        return ()
    named = (name for name in value if isinstance(name, x509.DNSName | x509.IPAddress))
    return tuple(_text(str(name.value)) for name in islice(named, MAX_NAMES))


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return extension.value.ca
