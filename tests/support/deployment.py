"""Certificates for the deployment of a stamp, valid ones and invalid ones."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.authority import Authority, Issued, Key, issue, rsa_key

DAY = timedelta(days=1)
DOMAIN = "east.contoso.example"
NAMES = (f"portal.{DOMAIN}", f"*.blob.{DOMAIN}")
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
RSA_USAGE = ("digital_signature", "key_encipherment")
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@cache
def enterprise() -> Authority:
    """Return a root and an intermediate that are valid for years."""
    root = issue("Contoso Enterprise Root", (), None, ends=3650 * DAY)
    return Authority(root, issue("Contoso Issuing CA 1", (), root, ends=1825 * DAY))


@dataclass(frozen=True)
class Leaf:
    """Parameters of a leaf; the defaults pass every readiness rule."""

    names: tuple[str, ...] = NAMES
    starts: timedelta = -DAY
    ends: timedelta = 365 * DAY
    usage: tuple[str, ...] | None = RSA_USAGE
    purposes: tuple[x509.ObjectIdentifier, ...] | None = (SERVER, CLIENT)
    key: Key | None = None
    issuer: Issued | None = None
    self_signed: bool = False
    common_name: str = "Contoso portal"
    crl: str = "http://pki.contoso.example/contoso.crl"

    def issued(self) -> Issued:
        key = self.key or rsa_key()
        issuer = self.issuer or enterprise().intermediate
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.common_name)])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self.self_signed else issuer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + self.starts)
            .not_valid_after(now + self.ends)
        )
        if self.names:
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in self.names])
            builder = builder.add_extension(names, critical=False)
        if self.usage is not None:
            usage = x509.KeyUsage(**{bit: bit in self.usage for bit in _USAGES})
            builder = builder.add_extension(usage, critical=True)
        if self.purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(self.purposes), critical=False)
        if self.crl:
            name = x509.UniformResourceIdentifier(self.crl)
            point = x509.DistributionPoint([name], None, None, None)
            places = x509.CRLDistributionPoints([point])
            builder = builder.add_extension(places, critical=False)
        signer = key if self.self_signed else issuer.key
        return Issued(builder.sign(signer, hashes.SHA256()), key)


@cache
def good() -> Issued:
    """Return a leaf that passes every readiness rule."""
    return Leaf().issued()


def whole(leaf: Issued) -> tuple[bytes, ...]:
    """Return the leaf with its chain, as DER."""
    return leaf.der, enterprise().intermediate.der, enterprise().root.der


def pem_file(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


@cache
def short_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


@cache
def other_key() -> rsa.RSAPrivateKey:
    """Return an RSA key other than `rsa_key()`."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed_with(digest: str, folder: Path, *, root: bool = False) -> tuple[bytes, bytes]:
    """Return a leaf and its root (DER), one signed with an old hash; only openssl still does that.

    The other one is signed with SHA-256.
    """
    hashes_ = {"root": digest, "leaf": "sha256"} if root else {"root": "sha256", "leaf": digest}
    run = folder / digest
    run.mkdir()
    (run / "leaf.ext").write_text(
        f"subjectAltName=DNS:portal.{DOMAIN}\nkeyUsage=digitalSignature,keyEncipherment\n"
        "extendedKeyUsage=serverAuth,clientAuth\n"
    )
    openssl(run, "req", "-x509", f"-{hashes_['root']}", "-newkey", "rsa:2048", "-nodes", "-keyout",
            "root.key", "-out", "root.pem", "-subj", "/CN=Old Root", "-days", "900")  # fmt: skip
    openssl(run, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr",
            "-subj", "/CN=old leaf")  # fmt: skip
    openssl(run, "x509", "-req", f"-{hashes_['leaf']}", "-in", "leaf.csr", "-CA", "root.pem",
            "-CAkey", "root.key", "-CAcreateserial", "-days", "400", "-extfile", "leaf.ext",
            "-outform", "DER", "-out", "leaf.der")  # fmt: skip
    openssl(run, "x509", "-in", "root.pem", "-outform", "DER", "-out", "root.der")
    return (run / "leaf.der").read_bytes(), (run / "root.der").read_bytes()


def openssl(folder: Path, *arguments: str) -> bytes:
    """Run openssl in a folder and return its output. Every file's password is `PASSWORD`."""
    return subprocess.run(
        ["openssl", *arguments],
        cwd=folder,
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "PASSWORD": PASSWORD, "LC_ALL": "C.UTF-8"},
    ).stdout


# How Windows exports a PFX from the machine's store, and how OpenSSL 3 packs one by itself.
VENDORS = ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1", "-LMK")
OPENSSLS = ("-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha256")
PASSWORD = "Pässwort of the test"


def pfx_file(
    path: Path, leaf: Issued, issuers: Sequence[bytes] = (), *options: str, password: bool = True
) -> Path:
    """Write a PFX with openssl. `issuers` are PEM; without `password` the password is empty.

    Without `options` it is packed as the vendor's readiness checker wants it.
    """
    folder = path.parent
    pem_file(folder / "pfx-leaf.pem", leaf.pem, leaf.key_pem)
    pem_file(folder / "pfx-issuers.pem", *issuers)
    more = ["-certfile", "pfx-issuers.pem"] if issuers else []
    secret = "env:PASSWORD" if password else "pass:"
    openssl(folder, "pkcs12", "-export", "-in", "pfx-leaf.pem", *more, "-passout", secret,
            *(options or VENDORS), "-out", path.name)  # fmt: skip
    return path
