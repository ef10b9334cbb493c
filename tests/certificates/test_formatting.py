"""What a certificate says in words, the same on the screen and on the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.formatting import fields_of, time_left
from stacktui.certificates.readiness import is_for_host
from tests.support.authority import DAY, localhost

END = datetime(2027, 6, 1, 12, tzinfo=UTC)
CERTIFICATE = Certificate("AA", not_before=END - timedelta(days=400), not_after=END)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(days=-214, hours=-3), "214 days left"),
        (timedelta(days=-1, hours=-1), "1 day left"),
        (timedelta(hours=-23, minutes=-59), "23 hours left"),
        (timedelta(hours=-1), "1 hour left"),
        (timedelta(minutes=-59), "less than an hour left"),
        (timedelta(minutes=5), "ended less than an hour ago"),
        (timedelta(hours=2), "ended 2 hours ago"),
        (timedelta(days=1, hours=20), "ended 1 day ago"),
        (timedelta(days=3, hours=20), "ended 3 days ago"),
        (timedelta(days=-401), "not valid yet"),
    ],
)
def test_how_long_it_has(after: timedelta, said: str) -> None:
    assert time_left(CERTIFICATE, END + after) == said


def test_every_field_is_reported() -> None:
    found = describe(localhost().der)
    told = dict(fields_of(found, datetime.now(UTC)))
    for value in (found.subject, found.issuer, found.serial, found.key, found.signature,
                  found.sha256, found.sha1, found.md5):  # fmt: skip
        assert value in told.values()
    assert told["names"] == "localhost, IP 127.0.0.1"
    assert told["key usage"] == "any: it names none"
    assert dict(fields_of(replace(found, key_usage=()), END))["key usage"] == "none"


def test_every_kind_of_name_is_told_apart() -> None:
    """An address as a DNS name counts for no client, and looks the same without its kind."""
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("portal.example"),
            x509.DNSName("10.0.0.1"),
            x509.IPAddress(ip_address("10.0.0.2")),
            x509.UniformResourceIdentifier("https://portal.example/"),
            x509.RFC822Name("ops@contoso.example"),
        ]
    )
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ops@contoso.example")])
    now, key = datetime.now(UTC), localhost().key
    made = x509.CertificateBuilder(subject, subject, key.public_key(), 7, now, now + DAY)
    made = made.add_extension(names, critical=False)
    found = describe(made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    told = dict(fields_of(found, now))
    assert told["subject"] == "emailAddress=ops@contoso.example"
    assert told["names"] == (
        "portal.example, DNS 10.0.0.1, IP 10.0.0.2, URI https://portal.example/, "
        "email ops@contoso.example"
    )
    assert found.names == ("portal.example", "10.0.0.1", "10.0.0.2")
    hosts = ("PORTAL.example", "10.0.0.1", "10.0.0.2", "contoso.example", "xn--a.example")
    given = [is_for_host(found, host) for host in hosts]
    assert given == [True, False, True, False, False]
    assert is_for_host(found, "münchen.example") is None


def test_what_cannot_be_read_says_why() -> None:
    told = dict(fields_of(describe(b"junk"), END))
    assert list(told) == ["unreadable", "SHA-256"]
    assert told["unreadable"]
    assert time_left(describe(b"junk"), END) == ""
