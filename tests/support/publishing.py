"""Certificates that say where their issuer's is to be had (AIA), and who publishes it there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tests.support.authority import DAY, Issued
from tests.support.web import Web

# The forms in which CAs publish a certificate.
FORMS = ("der", "pem", "pkcs7-der", "pkcs7-pem")


# Where a CA publishes in these tests. Addresses of this box are not asked, save where the user's
# `resolve` leads to them.
PLACE = "http://ca.tailspin.test"


def leading_to(web: Web | int) -> dict[str, str]:
    """The pin by which PLACE is this server, or a port of this box."""
    port = web if isinstance(web, int) else web.listener.port
    return {"ca.tailspin.test:80": f"127.0.0.1:{port}"}


def naming(
    common_name: str,
    issuer: Issued | None,
    *urls: str,
    names: Sequence[str] = (),
    issuer_name: str = "",
) -> Issued:
    """A certificate with these addresses of its issuer's; a leaf if there are `names`.

    `issuer_name` is written in place of the issuer's own.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name)
    above = issuer.certificate.subject if issuer else subject
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_name(issuer_name) if issuer_name else above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 90 * DAY)
        .add_extension(x509.BasicConstraints(not names, None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    if urls:
        builder = builder.add_extension(_places(*urls), critical=False)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def signed_by(certificate: Issued, issuer: Issued, url: str) -> Issued:
    """The same CA's name and key under a signature of `issuer`, whatever name it bears."""
    old = certificate.certificate
    builder = x509.CertificateBuilder(
        old.issuer,
        old.subject,
        old.public_key(),
        x509.random_serial_number(),
        old.not_valid_before_utc,
        old.not_valid_after_utc,
    ).add_extension(x509.BasicConstraints(True, None), critical=True)
    builder = builder.add_extension(_places(url), critical=False)
    return Issued(builder.sign(issuer.key, hashes.SHA256()), certificate.key)


def _places(*urls: str) -> x509.AuthorityInformationAccess:
    return x509.AuthorityInformationAccess(
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url)
        )
        for url in urls
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def published(form: str, *certificates: Issued) -> bytes:
    """The file of a CA, in one of FORMS."""
    match form:
        case "der":
            return certificates[0].der
        case "pem":
            return b"".join(each.pem for each in certificates)
    encoding = Encoding.DER if form == "pkcs7-der" else Encoding.PEM
    return pkcs7.serialize_certificates([each.certificate for each in certificates], encoding)
