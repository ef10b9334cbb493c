"""Certificates with an AIA extension (RFC 5280 section 4.2.2.1), and where a CA publishes."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.support.authority import Issued, issue
from tests.support.web import Web

# Encodings in which CAs publish a certificate.
FORMS = ("der", "pem", "pkcs7-der", "pkcs7-pem")


# URL of the CA in these tests. Addresses of this machine are not fetched, except where the user's
# `resolve` pins a name to them.
PLACE = "http://ca.tailspin.test"


def leading_to(web: Web | int) -> dict[str, str]:
    """Return the pin of PLACE's host to this server or local port."""
    port = web if isinstance(web, int) else web.listener.port
    return {"ca.tailspin.test:80": f"127.0.0.1:{port}"}


def naming(
    common_name: str,
    issuer: Issued | None,
    *urls: str,
    names: Sequence[str] = (),
    issuer_name: str = "",
) -> Issued:
    """Make a certificate whose AIA extension has these addresses of its issuer's certificate.

    It is a leaf if there are `names`; `issuer_name` replaces the issuer's own name.
    """
    places = [_places(*urls)] if urls else []
    return issue(common_name, tuple(names), issuer, *places, issuer_name=issuer_name)


def signed_by(certificate: Issued, issuer: Issued, url: str) -> Issued:
    """Sign the name and key of a CA again with `issuer`; the issuer name in it stays."""
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


def published(form: str, *certificates: Issued) -> bytes:
    """Return the file of a CA in one of FORMS."""
    match form:
        case "der":
            return certificates[0].der
        case "pem":
            return b"".join(each.pem for each in certificates)
    encoding = Encoding.DER if form == "pkcs7-der" else Encoding.PEM
    return pkcs7.serialize_certificates([each.certificate for each in certificates], encoding)
