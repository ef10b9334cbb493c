"""PFX and PEM both ways, against openssl."""

from __future__ import annotations

import base64
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.certificates.conversion import pem_of, pfx_of, thumbprints, write_private
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.key_bundle import (
    MAX_CERTIFICATES,
    Form,
    KeyBundle,
    KeyBundleError,
    PasswordError,
    own_chain,
    read_key_bundle,
)
from stacktui.certificates.readiness import KeyFound
from stacktui.identities.credential import load_certificate
from stacktui.identities.model import CertificateRef
from tests.support.authority import authority, issue
from tests.support.deployment import (
    PASSWORD,
    Leaf,
    enterprise,
    good,
    openssl,
    other_key,
    pem_file,
    pfx_file,
    whole,
)

ISSUERS = (enterprise().intermediate.pem, enterprise().root.pem)


def nobody(form: Form) -> str | None:
    raise AssertionError(f"asked for the password of a {form}")


def refuse(form: Form) -> str | None:
    return None


def answer(form: Form) -> str | None:
    return PASSWORD


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-legacy",),
        ("-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"),
        ("-keypbe", "AES-256-CBC", "-certpbe", "NONE", "-macalg", "sha512"),
    ],
    ids=["aes", "rc2", "3des", "certificates-open"],
)
def test_a_pfx_of_openssl_is_read(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), ISSUERS, *options)
    held = read_key_bundle(path, answer)
    assert (held.form, held.chain, held.leaf) == (Form.PFX, whole(good()), 0)
    assert held.key_found is KeyFound.MATCHES
    with pytest.raises(PasswordError, match="password is wrong"):
        read_key_bundle(path, lambda form: "another")
    with pytest.raises(KeyBundleError, match="no password was given"):
        read_key_bundle(path, refuse)


@pytest.mark.parametrize("options", [(), ("-nomac", "-keypbe", "NONE", "-certpbe", "NONE")])
def test_a_pfx_without_a_password_is_read_without_asking(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), ISSUERS, *options, password=False)
    assert read_key_bundle(path, nobody).chain == whole(good())


def test_the_pem_of_a_pfx_is_what_openssl_and_signing_in_take(tmp_path: Path) -> None:
    path = pfx_file(tmp_path / "a.pfx", good(), ISSUERS, "-legacy")
    out = tmp_path / "a.pem"
    write_private(out, pem_of(read_key_bundle(path, answer)))
    assert out.read_bytes() == b"".join((good().pem, *ISSUERS, good().key_pem))
    openssl(tmp_path, "pkey", "-in", "a.pem", "-check", "-noout")
    loaded = load_certificate(CertificateRef(out), datetime.now(UTC))
    assert loaded.sha1.upper() == thumbprints(good().der).sha1


def test_the_pfx_of_a_pem_is_what_openssl_takes_without_legacy(tmp_path: Path) -> None:
    pem = pem_file(tmp_path / "a.pem", good().key_pem, good().pem, *ISSUERS)
    out = tmp_path / "a.pfx"
    write_private(out, pfx_of(read_key_bundle(pem, nobody), PASSWORD))
    reading = ("pkcs12", "-in", "a.pfx", "-passin", "env:PASSWORD")
    certificates = openssl(tmp_path, *reading, "-nokeys")
    for each in (good().pem, *ISSUERS):
        assert each in certificates
    key = openssl(tmp_path, *reading, "-nocerts", "-nodes")
    assert good().key_pem in key
    told = openssl(tmp_path, "asn1parse", "-inform", "DER", "-in", "a.pfx", "-strparse", "26")
    assert b"pbeWithSHA1And3-KeyTripleDES-CBC" in told  # what the vendor's checker asks for
    again = read_key_bundle(out, answer)
    assert (again.chain, again.key_found) == (whole(good()), KeyFound.MATCHES)


def test_a_pfx_is_not_written_without_a_password(tmp_path: Path) -> None:
    held = read_key_bundle(pem_file(tmp_path / "a.pem", good().key_pem, good().pem), nobody)
    with pytest.raises(KeyBundleError, match="an empty one protects nothing"):
        pfx_of(held, "")


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_of_a_pem_file(tmp_path: Path, form: PrivateFormat) -> None:
    key = good().key.private_bytes(
        Encoding.PEM, form, BestAvailableEncryption(PASSWORD.encode())
    )  # fmt: skip
    path = pem_file(tmp_path / "a.pem", key, good().pem)
    held = read_key_bundle(path, answer)
    assert held.key_found is KeyFound.MATCHES
    assert pem_of(held) == good().pem + good().key_pem
    with pytest.raises(KeyBundleError, match="the private key does not open"):
        read_key_bundle(path, lambda form: "another")
    locked = read_key_bundle(path, refuse)
    assert (locked.key_found, locked.key) == (KeyFound.LOCKED, None)
    with pytest.raises(KeyBundleError, match="encrypted"):
        pem_of(locked)


def test_the_leaf_is_the_one_that_the_key_belongs_to(tmp_path: Path) -> None:
    path = pem_file(tmp_path / "a.pem", *reversed(ISSUERS), good().pem, good().key_pem)
    held = read_key_bundle(path, nobody)
    assert (held.leaf, held.chain) == (2, tuple(reversed(whole(good()))))
    assert own_chain(held) == whole(good())
    assert pem_of(held).startswith(good().pem)  # which is put right on the way


def test_without_a_key_the_leaf_is_the_first_that_is_no_ca(tmp_path: Path) -> None:
    held = read_key_bundle(pem_file(tmp_path / "a.pem", *ISSUERS, good().pem), nobody)
    assert (held.leaf, held.key_found) == (2, KeyFound.MISSING)
    root = read_key_bundle(pem_file(tmp_path / "b.pem", ISSUERS[1]), nobody)
    assert root.leaf == 0


def test_what_is_no_part_of_the_chain_is_left_out(tmp_path: Path) -> None:
    stranger = authority("Stranger").root
    path = pem_file(tmp_path / "a.pem", good().pem, stranger.pem, *ISSUERS, good().key_pem)
    held = read_key_bundle(path, nobody)
    assert len(held.chain) == 4
    assert own_chain(held) == whole(good())


def test_der_and_a_damaged_entry_are_read(tmp_path: Path) -> None:
    der = read_key_bundle(pem_file(tmp_path / "a.cer", good().der), nobody)
    assert (der.form, der.chain, der.key_found) == (Form.DER, (good().der,), KeyFound.MISSING)
    cut = read_key_bundle(pem_file(tmp_path / "a.pem", good().pem, ISSUERS[0][:100]), nobody)
    assert cut.chain == (good().der, b"")


def refused(path: Path) -> str:
    with pytest.raises(CertificateError) as raised:
        pem_of(read_key_bundle(path, answer))
    text = str(raised.value)
    assert text.isprintable()
    return text


def test_what_cannot_be_converted_says_why(tmp_path: Path) -> None:
    def of(*parts: bytes) -> str:
        return refused(pem_file(tmp_path / "a.pem", *parts))

    other = Leaf(key=other_key()).issued()
    assert "no private key in the file" in of(good().pem)
    assert "belongs to another certificate" in of(good().pem, other.key_pem)
    assert "holds 2 private keys" in of(good().pem, good().key_pem, other.key_pem)
    assert "a private key that is cut off" in of(good().pem, good().key_pem[:500])
    damaged = good().key_pem[:100] + b"AAAA" + good().key_pem[104:]
    assert "the private key cannot be read" in of(good().pem, damaged)
    assert "holds a private key but no certificate" in of(good().key_pem)
    assert "is empty" in of(b"\n")
    assert "HTML" in of(b"<!DOCTYPE html>")
    many = [issue("x", ("x",), None).pem for _ in range(MAX_CERTIFICATES + 1)]
    assert "a bundle of roots" in of(*many)


def test_a_pfx_with_something_missing_says_what(tmp_path: Path) -> None:
    pem_file(tmp_path / "a.pem", good().pem)
    pem_file(tmp_path / "a.key", good().key_pem)
    pem_file(tmp_path / "other.key", Leaf(key=other_key()).issued().key_pem)
    export = ("pkcs12", "-export", "-passout", "env:PASSWORD", "-out")
    openssl(tmp_path, *export, "cert.pfx", "-nokeys", "-in", "a.pem")
    openssl(tmp_path, *export, "key.pfx", "-nocerts", "-inkey", "a.key")
    assert "no private key in the file" in refused(tmp_path / "cert.pfx")
    assert "a private key but no certificate" in refused(tmp_path / "key.pfx")


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([tag, 0x82]) + len(content).to_bytes(2) + content


def two_keys(*keys: bytes) -> bytes:
    """An unencrypted PFX of nothing but these PKCS #8 keys, which no tool at hand writes."""
    data = bytes.fromhex("06092a864886f70d010701")
    bag = bytes.fromhex("060b2a864886f70d010c0a0101")
    bags = der(0x30, *(der(0x30, bag, der(0xA0, key)) for key in keys))
    safe = der(0x30, der(0x30, data, der(0xA0, der(0x04, bags))))
    return der(0x30, b"\x02\x01\x03", der(0x30, data, der(0xA0, der(0x04, safe))))


def test_a_pfx_with_several_keys_is_refused(tmp_path: Path) -> None:
    pkcs8 = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    keys = (key.private_bytes(*pkcs8) for key in (good().key, other_key()))
    path = pem_file(tmp_path / "a.pfx", two_keys(*keys))
    told = openssl(tmp_path, "pkcs12", "-in", "a.pfx", "-passin", "pass:", "-nodes", "-nomacver")
    assert told.count(b"BEGIN PRIVATE KEY") == 2
    assert "holds 2 private keys" in refused(path)


def test_a_pfx_of_open_lengths_is_read(tmp_path: Path) -> None:
    content = pfx_file(tmp_path / "a.pfx", good(), ()).read_bytes()
    # The PFX, its version 3 and its safe, each with two bytes of length.
    assert content[4:9] == b"\x02\x01\x03\x30\x82"
    safe = 11 + int.from_bytes(content[9:11])
    opened = b"\x30\x80\x02\x01\x03\x30\x80" + content[11:safe] + b"\0\0" + content[safe:] + b"\0\0"
    path = pem_file(tmp_path / "open.pfx", opened)
    assert read_key_bundle(path, answer).key_found is KeyFound.MATCHES


def test_a_pem_key_under_scrypt_is_read(tmp_path: Path) -> None:
    pem_file(tmp_path / "plain.pem", good().key_pem)
    openssl(tmp_path, "pkcs8", "-topk8", "-in", "plain.pem", "-passout", "env:PASSWORD", "-scrypt",
            "-out", "key.pem")  # fmt: skip
    path = pem_file(tmp_path / "a.pem", good().pem, (tmp_path / "key.pem").read_bytes())
    assert read_key_bundle(path, answer).key_found is KeyFound.MATCHES


def test_a_pfx_that_is_cut_off_or_garbage_says_so_without_asking(tmp_path: Path) -> None:
    content = pfx_file(tmp_path / "whole.pfx", good(), ISSUERS).read_bytes()
    cut = pem_file(tmp_path / "a.pfx", content[:1000])
    with pytest.raises(KeyBundleError, match=f"cut off: 1,000 of its {len(content):,} bytes"):
        read_key_bundle(cut, nobody)
    garbage = pem_file(tmp_path / "b.pfx", content[:60] + bytes(len(content) - 60))
    with pytest.raises(KeyBundleError, match="damaged PFX"):
        read_key_bundle(garbage, nobody)


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_what_holds_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    old = tmp_path / "old.pem"
    old.write_bytes(b"old")
    old.chmod(0o644)
    for path in (old, tmp_path / "new.pem"):
        write_private(path, b"key")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes() == b"key"
    with pytest.raises(KeyBundleError, match="cannot be written"):
        write_private(tmp_path, b"key")


def test_thumbprints_are_those_that_openssl_prints(tmp_path: Path) -> None:
    pem_file(tmp_path / "a.pem", good().pem)
    found = thumbprints(good().der)
    for digest, hexadecimal, base64url in (
        ("-sha1", found.sha1, found.x5t),
        ("-sha256", found.sha256, found.x5t_s256),
    ):
        said = openssl(tmp_path, "x509", "-in", "a.pem", "-noout", "-fingerprint", digest).decode()
        assert said.split("=")[1].strip().replace(":", "") == hexadecimal
        decoded = base64.urlsafe_b64decode(base64url + "==")
        assert decoded == bytes.fromhex(hexadecimal)
        assert "=" not in base64url


def test_a_key_is_in_no_repr(tmp_path: Path) -> None:
    held = read_key_bundle(pem_file(tmp_path / "a.pem", good().pem, good().key_pem), nobody)
    assert "key=" not in repr(held)
    assert "key_found" in repr(held)


def test_a_key_on_a_curve_goes_both_ways(tmp_path: Path) -> None:
    leaf = Leaf(key=ec.generate_private_key(ec.SECP256R1())).issued()
    held = read_key_bundle(pem_file(tmp_path / "a.pem", leaf.pem, leaf.key_pem), nobody)
    write_private(tmp_path / "a.pfx", pfx_of(held, PASSWORD))
    assert pem_of(read_key_bundle(tmp_path / "a.pfx", answer)) == leaf.pem + leaf.key_pem


SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def total(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    said = ""
    try:
        held = read_key_bundle(path, answer)
    except CertificateError as error:
        said = str(error)
    else:
        assert isinstance(held, KeyBundle)
    assert said.isprintable()


@given(content=st.binary(max_size=300))
@SLOW
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    total(tmp_path / "any", content)
    total(tmp_path / "any", b"\x30\x82\x01\x00\x02\x01\x03" + content)
    total(tmp_path / "any", good().pem + b"-----BEGIN PRIVATE KEY-----\n" + content)


@given(position=st.integers(0, 2000), change=st.integers(1, 255))
@SLOW
def test_a_pfx_with_a_wrong_byte_is_read_or_refused(
    tmp_path: Path, position: int, change: int
) -> None:
    path = tmp_path / "whole.pfx"
    content = path.read_bytes() if path.exists() else pfx_file(path, good(), ISSUERS).read_bytes()
    damaged = bytearray(content)
    damaged[position] ^= change
    total(tmp_path / "damaged.pfx", bytes(damaged))
