"""Writer of a certificate with its key, as PEM or PFX: to sign in with, or to deploy to a stamp.

The PFX is packed as the vendor's readiness checker wants it. Needs `cryptography`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from stacktui.certificates.chain import describe
from stacktui.certificates.key_bundle import KeyBundle, KeyBundleError, encoded, own_chain
from stacktui.certificates.pfx import for_local_machine
from stacktui.certificates.readiness import KeyFound
from stacktui.config.atomic import PRIVATE, write_atomically


@dataclass(frozen=True, slots=True)
class Thumbprints:
    """The digests by which a certificate is looked up, all of the DER.

    `sha1` is what the portal of Entra and AD FS show: hexadecimal, upper case, no colons. `x5t`
    and `x5t_s256` are what a client assertion carries (RFC 7515 sections 4.1.7 and 4.1.8).
    """

    sha1: str
    sha256: str
    x5t: str
    x5t_s256: str


def thumbprints(der: bytes) -> Thumbprints:
    short = sha1(der, usedforsecurity=False).digest()  # a name, not a signature
    long = sha256(der).digest()
    return Thumbprints(short.hex().upper(), long.hex().upper(), _base64url(short), _base64url(long))


def pem_of(bundle: KeyBundle) -> bytes:
    """The leaf, its chain upwards, and its key as PKCS #8, unencrypted. Raises KeyBundleError."""
    key = _key_of(bundle)
    blocks = [each.public_bytes(Encoding.PEM) for each in _certificates(bundle)]
    blocks.append(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return b"".join(blocks)


def pfx_of(bundle: KeyBundle, password: str) -> bytes:
    """The leaf, its chain and its key as a PFX for the machine store of a Windows of any age.

    Triple DES and SHA-1: AES is read by Windows Server 2019 and later only, the vendor's checker
    accepts nothing else, and OpenSSL 3 reads it without `-legacy`. What protects the key is the
    password: it must be a good one. Raises KeyBundleError.
    """
    if not password:
        raise KeyBundleError("a PFX needs a password: an empty one protects nothing")
    key = _key_of(bundle)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise KeyBundleError("the private key is neither RSA nor EC: Windows could not read it")
    leaf, *issuers = _certificates(bundle)
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303
        .build(encoded(password))
    )
    name = describe(bundle.chain[bundle.leaf]).common_name.encode()
    packed = pkcs12.serialize_key_and_certificates(name, key, leaf, issuers or None, encryption)
    return for_local_machine(packed, encoded(password))


def write_private(path: Path, content: bytes) -> None:
    """Write what holds a key: atomically, and 0600 from its first byte. Raises KeyBundleError."""
    try:
        if path.exists():
            path.chmod(PRIVATE)  # a file keeps its mode when it is replaced
        write_atomically(path, content)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise KeyBundleError(f"{path} cannot be written: {reason}") from None


def _key_of(bundle: KeyBundle) -> PrivateKeyTypes:
    match bundle.key_found:
        case KeyFound.LOCKED:
            raise KeyBundleError("the private key is encrypted, and no password was given")
        case KeyFound.OTHER:
            raise KeyBundleError("the private key belongs to another certificate")
    if bundle.key is None:
        raise KeyBundleError("there is no private key in the file")
    return bundle.key


def _certificates(bundle: KeyBundle) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(der) for der in own_chain(bundle)]


def _base64url(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
