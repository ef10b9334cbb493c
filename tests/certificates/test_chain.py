"""What a certificate says, against what openssl says of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from stacktui.certificates.chain import Certificate, describe, fingerprint
from tests.support.authority import Issued, authority, issue, localhost, rsa_key

DAY = timedelta(days=1)


def openssl(der: bytes, *arguments: str) -> str:
    return subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", *arguments],
        input=der,
        capture_output=True,
        check=True,
    ).stdout.decode()


def named(*attributes: tuple[x509.ObjectIdentifier, str], san: str | None = None) -> bytes:
    """A self-signed certificate with these subject attributes, and maybe one DNS name."""
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name)
        .public_key(localhost().key.public_key())
        .serial_number(4711)
        .not_valid_before(now)
        .not_valid_after(now + DAY)
    )
    if san is not None:
        names = x509.SubjectAlternativeName([x509.DNSName(san)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(localhost().key, hashes.SHA256()).public_bytes(Encoding.DER)


CERTIFICATES = {
    "leaf": authority().leaf(
        "management.local.azurestack.external", "*.blob.example", "10.0.0.5", "::1"
    ),
    "root": authority().root,
    "intermediate": authority().intermediate,
    "rsa": issue("rsa", ("rsa.example",), None, key=rsa_key()),
    "expired": authority().leaf("x", starts=-9 * DAY, ends=-2 * DAY),
}  # fmt: skip


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("issued", CERTIFICATES.values(), ids=CERTIFICATES)
def test_facts_are_those_that_openssl_prints(issued: Issued) -> None:
    found = describe(issued.der)
    assert found.unreadable == ""
    text = openssl(issued.der, "-fingerprint", "-sha256", "-serial", "-dates", "-nameopt",
                   "RFC2253", "-subject", "-issuer")  # fmt: skip
    said = dict(line.split("=", 1) for line in text.splitlines())
    assert said["sha256 Fingerprint"] == found.sha256
    assert int(said["serial"], 16) == int(found.serial, 16)
    assert (said["subject"], said["issuer"]) == (found.subject, found.issuer)
    dates = [
        datetime.strptime(said[key], "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        for key in ("notBefore", "notAfter")
    ]
    assert dates == [found.not_before, found.not_after]
    extensions = openssl(issued.der, "-ext", "subjectAltName,basicConstraints")
    assert found.is_ca == ("CA:TRUE" in extensions)
    san = re.findall(r"(?:DNS|IP Address):([^,\s]+)", extensions)
    assert [name.lower().replace("0:0:0:0:0:0:0:1", "::1") for name in san] == list(found.names)
    assert found.self_issued == (said["subject"] == said["issuer"])


def test_the_names_are_those_of_the_extension() -> None:
    found = describe(CERTIFICATES["leaf"].der)
    assert found.names == (
        "management.local.azurestack.external",
        "*.blob.example",
        "10.0.0.5",
        "::1",
    )
    assert found.common_name == "management.local.azurestack.external"
    assert found.issuer_name == "Contoso Issuing CA"
    assert not found.self_issued


def test_the_last_common_name_counts() -> None:
    der = named((NameOID.COMMON_NAME, "first"), (NameOID.COMMON_NAME, "last"))
    assert describe(der).common_name == "last"


def test_without_a_common_name_the_last_attribute_counts() -> None:
    der = named((NameOID.ORGANIZATION_NAME, "Contoso"), (NameOID.LOCALITY_NAME, "West"))
    assert describe(der).common_name == "West"
    assert describe(named()).common_name == "(no name)"
    assert describe(named()).names == ()


def test_text_from_the_network_is_made_harmless() -> None:
    found = describe(named((NameOID.COMMON_NAME, "a\x1b[31m\n\u202eb"), san="x\x1b]0;y\x07"))
    assert found.common_name == r"a\x1b[31m\n\u202eb"
    for text in (found.subject, found.issuer, found.issuer_name, *found.names):
        assert text.isprintable()
    assert found.names == (r"x\x1b]0;y\x07",)


def test_a_fingerprint_is_of_the_der_as_other_tools_print_it() -> None:
    assert fingerprint(b"") == (
        "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55"
    )


@pytest.mark.parametrize(
    ("left", "days"),
    [(90 * DAY, 90), (DAY / 2, 0), (timedelta(), 0), (-timedelta(seconds=1), -1), (-3 * DAY, -3)],
)
def test_days_left_are_whole_and_go_below_nothing(left: timedelta, days: int) -> None:
    found = describe(localhost().der)
    assert found.not_after is not None
    assert found.days_left(found.not_after - left) == days


def test_what_cannot_be_read_says_so_and_keeps_its_fingerprint() -> None:
    found = describe(b"nonsense")
    assert found == Certificate(sha256=fingerprint(b"nonsense"), unreadable=found.unreadable)
    assert found.unreadable
    assert found.days_left(datetime.now(UTC)) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_described(der: bytes) -> None:
    found = describe(der)
    assert found.sha256 == fingerprint(der)
    assert found.unreadable.isprintable()


@given(st.integers(0, len(localhost().der) - 1), st.integers(1, 255))
def test_a_certificate_with_a_wrong_byte_is_described(position: int, change: int) -> None:
    damaged = bytearray(localhost().der)
    damaged[position] ^= change
    found = describe(bytes(damaged))
    assert found.unreadable or found.not_after
    shown = (found.subject, found.issuer, found.common_name, found.unreadable, *found.names)
    assert all(text.isprintable() for text in shown)


def test_describing_an_odd_certificate_writes_nothing() -> None:
    # A serial number below zero, which RFC 5280 forbids and cryptography warns of.
    der = bytearray(named((NameOID.COMMON_NAME, "x")))
    at = bytes(der).index(b"\x02\x02\x12\x67")
    der[at + 2 : at + 4] = b"\x80\x00"
    program = (
        "import sys; from stacktui.certificates.chain import describe;"
        "print(describe(bytes.fromhex(sys.argv[1])).common_name)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, der.hex()], capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("x\n", "")
