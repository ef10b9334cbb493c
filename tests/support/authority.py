"""Certificates for tests: a root, an intermediate, and leaves."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @cached_property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @cached_property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Authority:
    """A root and one intermediate below it."""

    root: Issued
    intermediate: Issued

    def leaf(
        self,
        *names: str,
        starts: timedelta = -DAY,
        ends: timedelta = 90 * DAY,
        key: Key | None = None,
    ) -> Issued:
        """Issue a server certificate for `names` (DNS names and addresses)."""
        return issue(names[0], names, self.intermediate, starts=starts, ends=ends, key=key)

    def server(self, leaf: Issued, *, whole: bool = True) -> ssl.SSLContext:
        """Return a server context that presents `leaf`, with the intermediate if `whole`."""
        below = self.intermediate.pem if whole else b""
        return server_context(leaf, below)


@cache
def authority(name: str = "Contoso") -> Authority:
    """Return the authority of a name, made once: generating keys takes time."""
    root = issue(f"{name} Root CA", (), None)
    return Authority(root, issue(f"{name} Issuing CA", (), root))


@cache
def localhost() -> Issued:
    """Return the leaf for localhost under the default authority."""
    return authority().leaf("localhost", "127.0.0.1")


@cache
def localhost_server() -> ssl.SSLContext:
    """Return the server context for localhost under the default authority; not to be changed."""
    return authority().server(localhost())


def issue(
    common_name: str,
    names: tuple[str, ...],
    issuer: Issued | None,
    *extensions: x509.ExtensionType,
    starts: timedelta = -DAY,
    ends: timedelta = 90 * DAY,
    key: Key | None = None,
    issuer_name: str = "",
) -> Issued:
    """Make a leaf if there are `names`, else a CA certificate; self-signed without an issuer.

    `extensions` are added as not critical; `issuer_name` replaces the issuer's own name.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name)
    above = issuer.certificate.subject if issuer else subject
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_name(issuer_name) if issuer_name else above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(not names, None), critical=True)
    )
    if names:
        extensions = (x509.SubjectAlternativeName([_general(name) for name in names]), *extensions)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """Return one RSA key, shared by all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def server_context(leaf: Issued, below: bytes = b"") -> ssl.SSLContext:
    """Return a server context that presents `leaf` and then the PEM certificates in `below`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.write_bytes(leaf.key_pem + leaf.pem + below)
        context.load_cert_chain(path)
    return context


def trusting(*roots: Issued) -> ssl.SSLContext:
    """Return a client context that trusts these roots only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for root in roots:
        context.load_verify_locations(cadata=root.pem.decode())
    return context


STRANGERS = authority("Gateway")
