"""The stamp's certificates: root, intermediate, server leaf, service principal.

TLS keys are EC P-256, which are fast to generate; the service principal's key is RSA, as clients
sign assertions with RS256 or PS256. Extensions follow RFC 5280, and the key
usages the vendor's readiness checker (PROTOCOL.md section 6).
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stacktui.stamp.faults.model import ChainSpec

AUTHORITY_LIFE = timedelta(days=3650)
INTERMEDIATE_NAME = "Azure Stack Issuing CA 01"
OTHER_ROOT_NAME = "Fabrikam Enterprise Root CA"

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    def key_pem(self) -> bytes:
        """Return the private key as unencrypted PKCS #8."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True)
class ServerChain:
    """The chain that the server presents and the CA file of its clients, both PEM."""

    leaf: CertifiedKey
    presented: bytes
    ca_file: bytes

    def ssl_context(self, folder: Path, spec: ChainSpec) -> ssl.SSLContext:
        """Return a server context. The key is in `folder` for a moment, which must be private."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        if spec.weak_key:
            # At security level 2, Python's default, OpenSSL does not load such a certificate.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        path = folder / "server.pem"
        write_private(path, self.leaf.key_pem() + self.presented)
        context.load_cert_chain(path)
        path.unlink()
        return context


def make_server_chain(names: tuple[str, ...], spec: ChainSpec) -> ServerChain:
    """Make root, intermediate and leaf for `names`, as `spec` describes them."""
    root = _authority(spec.root, None)
    intermediate = _authority(INTERMEDIATE_NAME, root)
    leaf = _leaf(spec.names or names, None if spec.self_signed else intermediate, spec)
    presented = leaf.certificate_pem()
    if spec.sends_intermediate and not spec.self_signed:
        presented += intermediate.certificate_pem()
    trusted = root if spec.trusted else _authority(OTHER_ROOT_NAME, None)
    return ServerChain(leaf, presented, trusted.certificate_pem())


def make_key() -> rsa.RSAPrivateKey:
    """Generate an RSA key for signing tokens or assertions."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_client_certificate(common_name: str, key: rsa.RSAPrivateKey) -> CertifiedKey:
    """Make a self-signed certificate, valid for one year, as service principals register them."""
    return _issue(common_name, key, None, (timedelta(days=-1), timedelta(days=365)))


def write_private(path: Path, content: bytes) -> None:
    """Create a file with mode 0600; FileExistsError when it exists."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _authority(common_name: str, issuer: CertifiedKey | None) -> CertifiedKey:
    return _issue(
        common_name,
        ec.generate_private_key(ec.SECP256R1()),
        issuer,
        (timedelta(days=-30), AUTHORITY_LIFE),
        (x509.BasicConstraints(True, 0 if issuer else 1), True),
        (_key_usage("key_cert_sign", "crl_sign"), True),
    )


def _leaf(names: tuple[str, ...], issuer: CertifiedKey | None, spec: ChainSpec) -> CertifiedKey:
    key: PrivateKey = ec.generate_private_key(ec.SECP256R1())
    if spec.weak_key:
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    alternative: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    if "localhost" in names:
        alternative.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    purposes = [] if spec.no_server_auth else [ExtendedKeyUsageOID.SERVER_AUTH]
    if not spec.no_client_auth:
        purposes.append(ExtendedKeyUsageOID.CLIENT_AUTH)
    named = ((x509.SubjectAlternativeName(alternative), False),) if spec.san else ()
    return _issue(
        names[-1] if len(names) == 1 else names[1],
        key,
        issuer,
        (spec.starts, spec.ends),
        *named,
        (x509.BasicConstraints(False, None), True),
        (_key_usage("digital_signature", "key_encipherment"), True),
        (x509.ExtendedKeyUsage(purposes), False),
    )


def _issue(
    common_name: str,
    key: PrivateKey,
    issuer: CertifiedKey | None,
    validity: tuple[timedelta, timedelta],
    *extensions: tuple[x509.ExtensionType, bool],
) -> CertifiedKey:
    """Sign a certificate, by its own key without an issuer.

    `validity` is relative to now; each extension comes with whether it is critical.
    """
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer, now = issuer.key if issuer else key, datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer.certificate.subject if issuer else subject,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        now + validity[0],
        now + validity[1],
    )
    identifiers: tuple[x509.ExtensionType, ...] = (
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
    )
    for extension, critical in (*extensions, *((each, False) for each in identifiers)):
        builder = builder.add_extension(extension, critical)
    return CertifiedKey(builder.sign(signer, hashes.SHA256()), key)


def _key_usage(*names: str) -> x509.KeyUsage:
    fields = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{field: field in names for field in fields})
