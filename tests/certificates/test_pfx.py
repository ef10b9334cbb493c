"""How a PFX is packed: what the vendor's readiness checker would say, and what `convert` writes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from stacktui.certificates.conversion import pfx_of
from stacktui.certificates.crl import fetched_crl
from stacktui.certificates.key_bundle import KeyBundle, read_key_bundle
from stacktui.certificates.levels import Level
from stacktui.certificates.pfx import facts_of
from stacktui.certificates.readiness import Source
from stacktui.certificates.readiness_rules import evaluate
from tests.support.authority import DAY, issue
from tests.support.deployment import (
    OPENSSLS,
    PASSWORD,
    VENDORS,
    Leaf,
    enterprise,
    good,
    openssl,
    pfx_file,
)
from tests.support.web import Raw, answer, serving_plain

ISSUERS = (enterprise().intermediate.pem, enterprise().root.pem)
FILE_RULES = ("pfx-encryption", "pfx-privacy", "pfx-password", "local-machine", "http-crl")


def read(path: Path) -> KeyBundle:
    return read_key_bundle(path, lambda _form: PASSWORD)


def levels(bundle: KeyBundle) -> dict[str, Level]:
    """The levels of the rules on files, but for those that pass."""
    found = evaluate(
        bundle.chain, datetime.now(UTC), source=Source.PFX, key=bundle.key_found, pfx=bundle.pfx
    )
    levels_ = {each.rule: each.level for each in found if each.rule in FILE_RULES}
    assert set(levels_) == set(FILE_RULES)
    return {rule: level for rule, level in levels_.items() if level is not Level.PASS}


MACHINE = "-LMK"
NOT_3DES = {"pfx-encryption": Level.FAIL}


@pytest.mark.parametrize(
    ("options", "password", "expected"),
    [
        (VENDORS, True, {}),
        (OPENSSLS, True, NOT_3DES | {"local-machine": Level.FAIL}),
        ((*OPENSSLS, MACHINE), True, NOT_3DES),
        (("-legacy", MACHINE), True, NOT_3DES),  # its certificates are under RC2
        (VENDORS[:-1], True, {"local-machine": Level.FAIL}),
        ((*VENDORS, "-certpbe", "NONE"), True, {"pfx-privacy": Level.WARNING}),
        ((*VENDORS, "-keypbe", "NONE"), True, NOT_3DES),
        (
            (*VENDORS, "-nomac"),  # by which openssl leaves the certificates in the clear, too
            True,
            {"pfx-password": Level.FAIL, "pfx-privacy": Level.WARNING},
        ),
        (VENDORS, False, {"pfx-password": Level.FAIL}),
    ],
)
def test_the_packing_is_judged(
    options: tuple[str, ...], password: bool, expected: dict[str, Level], tmp_path: Path
) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), ISSUERS, *options, password=password)
    assert levels(read(path)) == expected


def test_what_is_written_is_what_the_checker_takes(tmp_path: Path) -> None:
    before = read(pfx_file(tmp_path / "a.pfx", good(), ISSUERS, *OPENSSLS))
    path = tmp_path / "b.pfx"
    path.write_bytes(pfx_of(before, PASSWORD))
    after = read(path)
    assert levels(after) == {}
    assert after.chain == before.chain
    # OpenSSL verifies the MAC, and shows the attribute by its own name.
    shown = openssl(tmp_path, "pkcs12", "-in", "b.pfx", "-passin", "env:PASSWORD", "-nodes")
    assert b"Microsoft Local Key set: <No Values>" in shown


def test_a_pfx_that_is_not_der_is_not_judged(tmp_path: Path) -> None:
    content = pfx_file(tmp_path / "a.pfx", good()).read_bytes()
    assert facts_of(content[:1] + b"\x80" + content[4:] + b"\0\0") is None
    assert facts_of(content[:40]) is None
    assert facts_of(b"") is None


def test_a_crl_that_only_ldap_names_is_none() -> None:
    def level(url: str) -> Level:
        leaf = Leaf(crl=url).issued()
        now = leaf.certificate.not_valid_before_utc
        found = evaluate([leaf.der], now, source=Source.FILE)
        return next(each.level for each in found if each.rule == "http-crl")

    assert level("http://pki.example/a.crl") is Level.PASS
    assert level("ldap:///CN=a") is Level.WARNING
    assert level("") is Level.WARNING


async def test_a_crl_is_fetched_and_read() -> None:
    root = issue("Contoso Root", (), None)
    now = datetime.now(UTC)
    made = x509.CertificateRevocationListBuilder(root.certificate.subject, now, now + DAY)
    crl = made.sign(root.key, hashes.SHA256()).public_bytes(Encoding.DER)
    said: dict[str, Raw] = {"/a.crl": answer(crl), "/b.crl": answer(b"<html>")}
    async with serving_plain(lambda asked: said[asked.target]) as web:
        pins = {"pki.example:80": f"127.0.0.1:{web.listener.port}"}
        assert await fetched_crl("http://pki.example/a.crl", pins) == ""
        assert await fetched_crl("http://pki.example/b.crl", pins) == "what is there is no CRL"
    assert await fetched_crl("http://pki.example/a.crl", {"pki.example:80": "127.0.0.1:1"})
