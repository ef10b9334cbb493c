"""The service principal's certificate file: what is usable, and each way in which it is not."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from stacktui.certificates.key_bundle import MAX_SIZE
from stacktui.identities.credential import load_certificate
from stacktui.identities.faults import CertificateFault, CertificateProblem, IdentityError
from stacktui.identities.model import CertificateRef
from tests.support.authority import Issued, authority, issue, rsa_key

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


@cache
def ours() -> Issued:
    return issue("ops", ("ops",), None, key=rsa_key())


@cache
def another_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pem(format_: PrivateFormat, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return rsa_key().private_bytes(Encoding.PEM, format_, encryption)


def written(tmp_path: Path, content: bytes) -> CertificateRef:
    path = tmp_path / "sp.pem"
    path.write_bytes(content)
    return CertificateRef(path)


def fault(
    reference: CertificateRef, now: datetime = NOW, password: str | None = None
) -> CertificateFault:
    with pytest.raises(IdentityError) as caught:
        load_certificate(reference, now, password)
    assert isinstance(caught.value.fault, CertificateFault)
    assert caught.value.fault.path == str(reference.path)
    assert "PRIVATE" not in repr(caught.value.fault)
    return caught.value.fault


def contents() -> dict[str, bytes]:
    key, certificate = ours().key_pem, ours().pem
    return {
        "key first": key + certificate,
        "certificate first": certificate + key,
        "crlf": (key + certificate).replace(b"\n", b"\r\n"),
        "pkcs1": key_pem(PrivateFormat.TraditionalOpenSSL) + certificate,
        "with its chain": key + certificate + authority().intermediate.pem + authority().root.pem,
        "with bag attributes": b"Bag Attributes\n    friendlyName: ops\n" + certificate + key,
        "with a mark": b"\xef\xbb\xbf" + key + certificate,
        "with notes": b"# f\xe4r ops\n" + certificate + b"\n\n" + key,
    }


@pytest.mark.parametrize("name", contents())
def test_a_good_file_is_loaded(tmp_path: Path, name: str) -> None:
    found = load_certificate(written(tmp_path, contents()[name]), NOW)
    assert found.certificate_pem == ours().pem.decode()
    assert found.sha1 == hashlib.sha1(ours().der).hexdigest()
    assert found.sha256 == hashlib.sha256(ours().der).hexdigest()
    loaded = load_pem_private_key(found.key_pem.encode(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.private_numbers() == rsa_key().private_numbers()


def protected_contents(password: bytes) -> dict[str, bytes]:
    """A certificate with its key, as Python, Windows and OpenSSL protect them."""
    certificate, old = ours().pem, PrivateFormat.PKCS12.encryption_builder()
    old = old.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(SHA1())
    made = {
        "pfx": pfx(BestAvailableEncryption(password)),
        "old pfx": pfx(old.build(password)),
        "pkcs8": key_pem(PrivateFormat.PKCS8, password) + certificate,
        "pkcs1": certificate + key_pem(PrivateFormat.TraditionalOpenSSL, password),
    }
    commands = {
        "pfx of openssl": ["pkcs12", "-export", "-passout", "stdin"],
        "legacy pfx of openssl": ["pkcs12", "-export", "-legacy", "-passout", "stdin"],
        "key of openssl": ["rsa", "-aes256", "-passout", "stdin"],
    }
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.pem")
        plain.write_bytes(ours().key_pem + certificate)
        for name, command in commands.items():
            ran = subprocess.run(
                ["openssl", *command, "-in", plain],
                input=password + b"\n",
                capture_output=True,
                check=True,
            )
            made[name] = ran.stdout + (certificate if "key" in name else b"")
    return made


@pytest.mark.parametrize("password", ["pw", "pä ss'wörd"])
def test_a_file_with_a_password_is_loaded(tmp_path: Path, password: str) -> None:
    for name, content in protected_contents(password.encode()).items():
        reference = written(tmp_path, content)
        found = load_certificate(reference, NOW, password)
        assert found.certificate_pem == ours().pem.decode(), name
        assert found.sha1 == hashlib.sha1(ours().der).hexdigest()
        loaded = load_pem_private_key(found.key_pem.encode(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        assert loaded.private_numbers() == rsa_key().private_numbers()
        for wrong in ("hunter2", ""):
            refused = fault(reference, password=wrong)
            assert refused.problem is CertificateProblem.WRONG_PASSWORD, name
            assert "hunter2" not in str(refused)
        is_pfx = "pfx" in name
        asks = CertificateProblem.PFX if is_pfx else CertificateProblem.ENCRYPTED
        assert fault(reference).problem is asks, name


def test_a_pfx_without_a_password_needs_none(tmp_path: Path) -> None:
    for encryption in (NoEncryption(), BestAvailableEncryption(b"x")):
        reference = written(tmp_path, pfx(encryption))
        password = None if isinstance(encryption, NoEncryption) else "x"
        assert load_certificate(reference, NOW, password).sha256


def test_a_pfx_of_two_certificates_signs_in_with_the_one_of_its_key(tmp_path: Path) -> None:
    content = pkcs12.serialize_key_and_certificates(
        b"ops", rsa_key(), ours().certificate, [authority().root.certificate], NoEncryption()
    )
    found = load_certificate(written(tmp_path, content), NOW)
    assert found.certificate_pem == ours().pem.decode()


@pytest.mark.parametrize("size", [40, -100])
def test_a_damaged_pfx_is_named(tmp_path: Path, size: int) -> None:
    found = fault(written(tmp_path, pfx(NoEncryption())[:size]), password="pw")
    assert found.problem is CertificateProblem.NO_CERTIFICATE
    assert "cut off" in found.detail
    assert not found.detail.startswith("/")


def test_the_key_is_not_shown(tmp_path: Path) -> None:
    found = load_certificate(written(tmp_path, contents()["key first"]), NOW)
    assert "PRIVATE" not in repr(found)
    assert found.key_pem not in repr(found)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = fault(CertificateRef(tmp_path / "none.pem"))
    assert (found.problem, found.detail) == (CertificateProblem.MISSING, "no such file")


def test_a_directory(tmp_path: Path) -> None:
    found = fault(CertificateRef(tmp_path))
    assert (found.problem, found.detail) == (CertificateProblem.UNREADABLE, "it is a directory")


@pytest.mark.timeout(5)
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert fault(CertificateRef(tmp_path / "fifo")).problem is CertificateProblem.UNREADABLE


def pfx(encryption: KeySerializationEncryption | None = None) -> bytes:
    certificate, lock = ours().certificate, encryption or BestAvailableEncryption(b"pw")
    return pkcs12.serialize_key_and_certificates(b"ops", rsa_key(), certificate, None, lock)


def bad_contents() -> dict[str, tuple[bytes, CertificateProblem, str]]:
    key, certificate, problems = ours().key_pem, ours().pem, CertificateProblem
    strange = another_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    curved = issue("ec", ("ec",), None)
    locked = "the private key is encrypted, and no password is configured"
    return {
        "empty": (b"", problems.NO_CERTIFICATE, "the file is empty"),
        "blank": (b"\n \n", problems.NO_CERTIFICATE, "the file is empty"),
        "text": (b"hello", problems.NO_CERTIFICATE, "no PEM certificate"),
        "key only": (key, problems.NO_CERTIFICATE, "a private key, but no certificate"),
        "too large": (b"x" * (MAX_SIZE + 1), problems.NO_CERTIFICATE, "over 1,048,576 bytes"),
        "damaged": (
            key + certificate.replace(b"MII", b"!!!"),
            problems.NO_CERTIFICATE,
            "the certificate cannot be read",
        ),
        "cut": (key + certificate[:300], problems.NO_CERTIFICATE, ""),
        "certificate only": (certificate, problems.NO_KEY, "a certificate, but no private key"),
        "public key": (
            certificate + b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            problems.NO_KEY,
            "a certificate, but no private key",
        ),
        "damaged key": (
            certificate + key[:200] + b"\n-----END PRIVATE KEY-----\n",
            problems.NO_KEY,
            "the private key cannot be read: ValueError",
        ),
        "encrypted": (
            certificate + key_pem(PrivateFormat.PKCS8, b"pw"),
            problems.ENCRYPTED,
            locked,
        ),
        "encrypted pkcs1": (
            key_pem(PrivateFormat.TraditionalOpenSSL, b"pw") + certificate,
            problems.ENCRYPTED,
            locked,
        ),
        "pfx": (pfx(), problems.PFX, "the PFX is encrypted, and no password is configured"),
        "der": (ours().der, problems.NO_KEY, "a certificate, but no private key"),
        "other key": (
            strange + certificate,
            problems.KEY_MISMATCH,
            "the private key in the file belongs to another certificate",
        ),
        "ec": (
            curved.key_pem + curved.pem,
            problems.KEY_TYPE,
            "the key is not RSA; Entra and AD FS accept RSA only",
        ),
    }


@pytest.mark.parametrize("name", bad_contents())
def test_a_bad_file_is_named(tmp_path: Path, name: str) -> None:
    content, problem, detail = bad_contents()[name]
    found = fault(written(tmp_path, content))
    assert found.problem is problem
    assert detail in (found.detail, "")
    assert found.detail
    assert found.detail.isprintable()


@pytest.mark.parametrize("label", ["CERTIFICATE", "X509 CERTIFICATE", "PRIVATE KEY"])
@pytest.mark.parametrize("key", [False, True], ids=["alone", "with-a-key"])
def test_the_largest_file_full_of_beginnings_is_judged_in_linear_time(
    tmp_path: Path, label: str, key: bool
) -> None:
    line = f"-----BEGIN {label}-----\n".encode()
    before = ours().key_pem if key else b""
    reference = written(tmp_path, before + line * ((MAX_SIZE - len(before)) // len(line)))
    started = time.process_time()  # of this process alone, however busy the box is
    assert fault(reference).problem is CertificateProblem.NO_CERTIFICATE
    assert time.process_time() - started < 2  # what is quadratic takes minutes


def test_an_expired_certificate_says_since_when(tmp_path: Path) -> None:
    old = issue("old", ("old",), None, key=rsa_key(), starts=-40 * DAY, ends=-3 * DAY)
    found = fault(written(tmp_path, old.key_pem + old.pem), datetime.now(UTC))
    assert found.problem is CertificateProblem.EXPIRED
    ended = old.certificate.not_valid_after_utc
    assert found.detail == f"expired on {ended:%Y-%m-%d}, 3 days ago"


def test_a_certificate_of_the_future_shows_both_clocks(tmp_path: Path) -> None:
    new = issue("new", ("new",), None, key=rsa_key(), starts=2 * DAY)
    found = fault(written(tmp_path, new.key_pem + new.pem))
    assert found.problem is CertificateProblem.NOT_YET_VALID
    starts = new.certificate.not_valid_before_utc
    assert found.detail == (
        f"valid from {starts:%Y-%m-%d %H:%M} UTC; this machine says {NOW:%Y-%m-%d %H:%M} UTC"
    )


@pytest.mark.parametrize(("offset", "good"), [(0, True), (1, False)])
def test_the_last_second_still_counts(tmp_path: Path, offset: int, good: bool) -> None:
    reference = written(tmp_path, contents()["key first"])
    at = ours().certificate.not_valid_after_utc + timedelta(seconds=offset)
    if good:
        assert load_certificate(reference, at)
    else:
        assert fault(reference, at).problem is CertificateProblem.EXPIRED


def test_a_certificate_of_an_unknown_kind_is_a_fault(tmp_path: Path) -> None:
    der = ours().der
    rsa_oid = bytes.fromhex("06092a864886f70d010101")  # rsaEncryption, RFC 8017 appendix C
    version = bytes.fromhex("a003020102")  # v3, RFC 5280 section 4.1.2.1
    for old, new in ((rsa_oid, rsa_oid[:-1] + b"\x63"), (version, version[:-1] + b"\x07")):
        assert old in der
        block = base64.encodebytes(der.replace(old, new, 1))
        pem = b"-----BEGIN CERTIFICATE-----\n" + block + b"-----END CERTIFICATE-----\n"
        found = fault(written(tmp_path, pem + ours().key_pem))
        assert found.problem is CertificateProblem.NO_CERTIFICATE
        assert found.detail == "the certificate cannot be read"
