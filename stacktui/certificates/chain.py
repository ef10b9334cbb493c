"""Certificates, and the path from a leaf up. Needs `cryptography`, which is slow to import: only
what shows or verifies a chain imports this module."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import md5, sha1, sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from stacktui.certificates import x509_fields
from stacktui.certificates.signatures import Signature, signature_by
from stacktui.errors import is_exhaustion
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.host import is_address

# `cryptography` warns of odd certificates on stderr, which would garble the dashboard. This filter
# is global: catch_warnings would undo filters that another thread sets meanwhile (requests does).
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)
# Any name may be longer than X.520 allows, and is shown cut.
warnings.filterwarnings("ignore", "Attribute's length", UserWarning)


# A stamp's chain has two or three certificates; more are not followed, as each costs a signature.
MAX_PATH = 10
# Signatures that are tried for one path: with certificates of one name, each may be any's issuer.
MAX_SIGNATURES = 32


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate; text is cleaned, times are UTC, fingerprints are of the DER.

    `names` are the subject alternative names of servers (DNS and IP), at most MAX_NAMES of them;
    `addresses` are those that are of the kind IP, `other_names` URIs and e-mail addresses with
    their kind. Fingerprints are in colon form, upper case; `serial` is hexadecimal, upper case.
    `key_type` is RSA, EC, Ed25519, …, `key_bits` its size; `curve` is set for EC. `signature` is
    the algorithm's name as OpenSSL prints it, `signature_hash` its hash (SHA1, SHA256), empty
    where there is none. `key_usage` and `extended_key_usage` hold the names of RFC 5280 section
    4.2.1 (digitalSignature, serverAuth; an OID in dots if it has no name), None where the
    extension is absent: then every use is allowed. `issuer_urls` are those of the AIA extension,
    `crl_urls` those of the CRL distribution points.
    `unreadable` says why nothing could be read; then all fields but `der` and `sha256` are empty.
    """

    sha256: str
    sha1: str = ""
    md5: str = ""
    subject: str = ""
    issuer: str = ""
    common_name: str = ""
    issuer_name: str = ""
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    serial: str = ""
    version: int = 3
    key_type: str = ""
    key_bits: int = 0
    curve: str = ""
    signature: str = ""
    signature_hash: str = ""
    key_usage: tuple[str, ...] | None = None
    extended_key_usage: tuple[str, ...] | None = None
    issuer_urls: tuple[str, ...] = ()
    crl_urls: tuple[str, ...] = ()
    is_ca: bool = False
    self_issued: bool = False
    unreadable: str = ""
    der: bytes = field(default=b"", repr=False, compare=False)

    def days_left(self, now: datetime) -> int | None:
        """Whole days until `not_after`; negative once it has passed; None if unreadable."""
        return None if self.not_after is None else (self.not_after - now).days

    def time_left(self, now: datetime) -> timedelta | None:
        """The time until `not_after`; negative once it has passed; None if unreadable."""
        return None if self.not_after is None else self.not_after - now

    @property
    def shown_names(self) -> tuple[str, ...]:
        """All alternative names; those that are no host names with their kind."""
        servers = (
            f"IP {name}" if name in self.addresses else f"DNS {name}" if is_address(name) else name
            for name in self.names
        )
        return (*servers, *self.other_names)

    @property
    def key(self) -> str:
        """The key in words: `RSA 2048 bits`, `EC 256 bits (secp256r1)`."""
        curve = f" ({self.curve})" if self.curve else ""
        return f"{self.key_type} {self.key_bits} bits{curve}" if self.key_bits else self.key_type

    @property
    def kind(self) -> str:
        """Its place in a chain: `root`, `intermediate` or `leaf`."""
        if self.is_ca:
            return "root" if self.self_issued else "intermediate"
        return "leaf"


def fingerprint(der: bytes) -> str:
    """SHA-256 of the DER as other tools print it: `9F:2C:…`."""
    return sha256(der).digest().hex(":").upper()


@lru_cache(maxsize=4096)
def describe(der: bytes) -> Certificate:
    """Parse one certificate; never raises. The results for a few stores' roots are cached."""
    print_ = fingerprint(der)
    try:
        return _read(der, print_)
    except Exception as error:  # network bytes: cryptography raises many kinds
        if is_exhaustion(error):
            raise
        return Certificate(
            sha256=print_,
            unreadable=escape_control_chars(str(error) or type(error).__name__),
            der=der,
        )


def _read(der: bytes, print_: str) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    key_type, key_bits, curve = x509_fields.public_key(certificate)
    names = x509_fields.alternative_names(certificate)
    return Certificate(
        sha256=print_,
        sha1=sha1(der, usedforsecurity=False).digest().hex(":").upper(),
        md5=md5(der, usedforsecurity=False).digest().hex(":").upper(),
        subject=x509_fields.name_text(certificate.subject),
        issuer=x509_fields.name_text(certificate.issuer),
        common_name=x509_fields.common_name(certificate.subject),
        issuer_name=x509_fields.common_name(certificate.issuer),
        names=tuple(value for kind, value in names if kind in ("DNS", "IP")),
        addresses=tuple(value for kind, value in names if kind == "IP"),
        other_names=tuple(f"{kind} {value}" for kind, value in names if kind in ("URI", "email")),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=f"{certificate.serial_number:X}",
        version=certificate.version.value + 1,
        key_type=key_type,
        key_bits=key_bits,
        curve=curve,
        signature=x509_fields.signature_name(certificate),
        signature_hash=x509_fields.signature_hash(certificate),
        key_usage=x509_fields.key_usage(certificate),
        extended_key_usage=x509_fields.extended_key_usage(certificate),
        issuer_urls=x509_fields.issuer_urls(certificate),
        crl_urls=x509_fields.crl_urls(certificate),
        is_ca=x509_fields.is_ca(certificate),
        self_issued=certificate.subject == certificate.issuer,
        der=der,
    )


def same_key(der: bytes, other: bytes) -> bool:
    """Return whether two certificates are of one public key, whatever their names. Never raises."""
    return der == other or (_public_key(der) or b"") == _public_key(other)


@lru_cache(maxsize=64)
def _public_key(der: bytes) -> bytes | None:
    """Return the DER of the SubjectPublicKeyInfo; None where it cannot be read."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception:  # network bytes: cryptography raises many kinds
        return None


def issued_by(der: bytes, issuer: bytes) -> bool:
    """Whether `issuer` signed `der`: names agree and the signature verifies. Never raises.

    False, too, where the signature cannot be computed here (`signatures.Signature.UNKNOWN`).
    """
    return signature_by(der, issuer) is Signature.VALID


def path_of(chain: Sequence[bytes], leaf: int = 0) -> tuple[int, ...]:
    """Return positions from the leaf up, each certificate issued by the next; at most MAX_PATH.

    Of several possible issuers, the one that follows is preferred. Empty for an empty chain. The
    path ends early after MAX_SIGNATURES attempts, and below a signature that cannot be computed
    here (`unknown_issuer`). Results are cached.
    """
    return _path_of(tuple(chain), leaf)


@lru_cache(maxsize=64)
def _path_of(chain: tuple[bytes, ...], leaf: int) -> tuple[int, ...]:
    certificates = [describe(der) for der in chain]
    left = MAX_SIGNATURES

    def signed(lower: int, upper: int) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and issued_by(chain[lower], chain[upper])

    path = [leaf] if leaf < len(chain) else []
    while path and len(path) < MAX_PATH:
        below = path[-1]
        lower = certificates[below]
        if lower.self_issued and signed(below, below):
            break
        issuer = next(
            (
                position
                for position in (*range(below + 1, len(chain)), *range(below))
                if certificates[position].subject == lower.issuer
                and all(chain[position] != chain[each] for each in path)
                and signed(below, position)
            ),
            None,
        )
        if issuer is None:
            break
        path.append(issuer)
    return tuple(path)


def described_path(chain: Sequence[bytes]) -> tuple[Certificate, ...]:
    """Return the certificates of the path that starts at the leaf, leaf first."""
    return tuple(describe(chain[position]) for position in path_of(chain))


def top_of(chain: Sequence[bytes]) -> bytes:
    """Return the end of that path; empty for an empty chain.

    This may not be the certificate presented last, which need not belong to the leaf.
    """
    path = path_of(chain)
    return chain[path[-1]] if path else b""


def unknown_issuer(chain: Sequence[bytes], path: Sequence[int]) -> int | None:
    """Return the position of the issuer by name of the path's end, if its signature is unknown.

    Nobody can say here whether it signed: neither that the chain is whole nor that it is broken.
    """
    if not path:
        return None
    end, name = chain[path[-1]], describe(chain[path[-1]]).issuer
    others = (each for each in range(len(chain)) if each not in path)
    likely = [each for each in others if describe(chain[each]).subject == name]
    if len(likely) > MAX_PATH:
        return likely[0]  # more than are tried
    return next((each for each in likely if signature_by(end, chain[each]) is Signature.UNKNOWN),
                None)  # fmt: skip
