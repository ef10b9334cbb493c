"""A root goes into a bundle and out again: byte for byte, read by OpenSSL, and nothing injected."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha1, sha256
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stacktui.certificates.bundle import (
    BundleError,
    Change,
    additions_in,
    annotated,
    carry_out,
    holds_only_additions,
    may_be_trusted,
    plan_addition,
    plan_removal,
)
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.files import CertificateFileError, FileProblem
from stacktui.config.backup import backup_of
from tests.support.authority import DAY, STRANGERS, authority, issue, localhost
from tests.support.draws import draws

pytestmark = pytest.mark.every_root
ROOT = authority().root
OTHER = STRANGERS.root
SHA = sha256(ROOT.der).hexdigest()
NOW = datetime.now(UTC)


def root_named(*attributes: tuple[x509.ObjectIdentifier, str], **usages: bool) -> bytes:
    """A self-signed CA certificate of this subject (DER), with a key usage if there are any."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x80ABC)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(True, None), critical=True)
    )
    if usages:
        bits = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
            False,
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(**bits | usages), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def loaded(path: Path) -> list[bytes]:
    """What a Python program that is pointed at this file trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=path)
    return context.get_ca_certs(binary_form=True)


def counted_by_openssl(path: Path) -> int:
    done = subprocess.run(
        ["openssl", "crl2pkcs7", "-nocrl", "-certfile", path], capture_output=True, check=True
    )
    shown = subprocess.run(
        ["openssl", "pkcs7", "-print_certs", "-noout"],
        input=done.stdout,
        capture_output=True,
        check=True,
    )
    return shown.stdout.count(b"subject=")


def add(path: Path, *ders: bytes) -> Path | None:
    return carry_out(plan_addition(path, ders))


def remove(path: Path, *fingerprints: str) -> Path | None:
    return carry_out(plan_removal(path, fingerprints))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the real certifi bundle."""
    path = tmp_path / "certifi" / "cacert.pem"
    path.parent.mkdir()
    path.write_bytes(Path(certifi.where()).read_bytes())
    path.chmod(0o644)
    return path


# The form


def test_the_annotated_form_is_the_documented_one() -> None:
    der = root_named((NameOID.COUNTRY_NAME, "US"), (NameOID.STATE_OR_PROVINCE_NAME, "WA"),
                     (NameOID.ORGANIZATION_NAME, "Contoso, Ltd."),
                     (NameOID.COMMON_NAME, "AzureStackSelfSignedRootCert"))  # fmt: skip
    lines = annotated(der).decode("ascii").split("\n")
    name = 'CN=AzureStackSelfSignedRootCert, O="Contoso, Ltd.", S=WA, C=US'
    assert lines[:8] == [
        f"# Issuer: {name}",
        f"# Subject: {name}",
        "# Label: US",
        "# Serial: 080abc",
        f"# MD5 Fingerprint: {md5(der).hexdigest()}",
        f"# SHA1 Fingerprint: {sha1(der).hexdigest()}",
        f"# SHA256 Fingerprint: {sha256(der).hexdigest()}",
        "-----BEGIN CERTIFICATE-----",
    ]
    pem = "\n".join(lines[7:])
    assert pem == ssl.DER_cert_to_PEM_cert(der)
    assert max(map(len, lines[8:])) == 64
    assert pem.endswith("-----END CERTIFICATE-----\n")


def test_the_fingerprints_are_those_that_openssl_prints(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    lines = dict(
        line.removeprefix("# ").split(": ", 1)
        for line in annotated(ROOT.der).decode().splitlines()
        if line.startswith("#")
    )
    for name, option in (("MD5", "-md5"), ("SHA1", "-sha1"), ("SHA256", "-sha256")):
        told = subprocess.run(
            ["openssl", "x509", "-in", tmp_path / "root.pem", "-noout", "-fingerprint", option],
            capture_output=True, text=True, check=True,
        ).stdout.strip().partition("=")[2]  # fmt: skip
        assert lines[f"{name} Fingerprint"] == told.replace(":", "").lower()
    serial = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "root.pem", "-noout", "-serial"],
        capture_output=True, text=True, check=True,
    ).stdout.strip().partition("=")[2]  # fmt: skip
    assert lines["Serial"] == serial.lower()


HOSTILE = [
    "x\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "x\r\n# SHA256 Fingerprint: 00\n",
    "\x1b]0;owned\x07\x1b[2J",
    "-----BEGIN CERTIFICATE-----",
    "-" * 60,
    "a" * 39 + "-----BEGIN X509 CRL-----",
    "Ümläut Größe 根 \u202egpj.exe",
    'quoted " and , + ; = <x> #',
    " blank ",
    "=",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_cannot_inject_anything(bundle: Path, name: str) -> None:
    der = root_named((NameOID.ORGANIZATIONAL_UNIT_NAME, name[:64]),
                     (NameOID.COMMON_NAME, name[:64]))  # fmt: skip
    before = counted_by_openssl(bundle)
    original = bundle.read_bytes()
    add(bundle, der)
    block = bundle.read_bytes()[len(original) :]
    comments, _, pem = block.partition(b"-----BEGIN CERTIFICATE-----\n")
    assert b"-----BEGIN CERTIFICATE-----\n" + pem == ssl.DER_cert_to_PEM_cert(der).encode()
    assert comments.count(b"\n") == 8
    assert all(line == b"" or line.startswith(b"# ") for line in comments.split(b"\n"))
    assert comments.replace(b"\n", b"").decode("ascii").isprintable()
    assert b"---" not in comments
    assert counted_by_openssl(bundle) == before + 1
    assert der in loaded(bundle)
    assert additions_in(bundle.read_bytes()) == (der,)
    remove(bundle, sha256(der).hexdigest())
    assert bundle.read_bytes() == original


def test_a_comment_is_bounded_and_hides_no_pem_in_a_long_line(tmp_path: Path) -> None:
    """OpenSSL reads lines in pieces of 254 bytes: a piece that begins with PEM counts as PEM."""
    path = tmp_path / "b.pem"
    for length in range(1, 64, 7):
        attributes = [(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 60) for _ in range(3)]
        attributes += [(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * length)]
        attributes += [(NameOID.ORGANIZATION_NAME, "-----BEGIN CERTIFICATE-----")] * 2
        attributes += [(NameOID.COMMON_NAME, "💥" * 16)] * 20
        der = root_named(*attributes)
        path.write_bytes(OTHER.pem)
        add(path, der)
        assert loaded(path) == [OTHER.der, der]
        assert max(map(len, path.read_bytes().split(b"\n"))) < 600
        assert b"-----BEGIN" not in annotated(der).partition(b"-----BEGIN CERT")[0]


# Byte for byte


SHAPES = {
    "plain": OTHER.pem,
    "crlf": OTHER.pem.replace(b"\n", b"\r\n"),
    "mark": b"\xef\xbb\xbf" + OTHER.pem,
    "no-newline": OTHER.pem.rstrip(b"\n"),
    "cr-at-the-end": OTHER.pem.replace(b"\n", b"\r\n").rstrip(b"\n"),
    "blank-lines": b"\n\n" + OTHER.pem + b"\n\n\n",
    "latin-1": "# Ümläut\n".encode("latin-1") + OTHER.pem,
    "escapes": b"# \x1b[31mred\x1b[0m \x07\n" + OTHER.pem + b"# \x9b31m",
    "nul": b"# a\x00b\n" + OTHER.pem,
    "an-unfinished-comment": OTHER.pem + b"# Issuer: CN=x\n# Subject: CN=y",
    "key-too": localhost().key_pem + OTHER.pem,
    "two-hundred": b"".join(
        issue(f"Root {number}", (), None, key=ROOT.key).pem for number in range(200)
    ),
}


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_added_and_removed_leaves_the_file_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bundle.pem"
    path.write_bytes(content)
    there = loaded(path)
    add(path, ROOT.der)
    assert path.read_bytes() == content + b"\n" + annotated(ROOT.der)
    assert loaded(path) == [*there, ROOT.der]
    assert counted_by_openssl(path) == len(there) + 1
    remove(path, SHA)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=draws(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    head=st.binary(max_size=80),
    tail=st.one_of(
        st.binary(max_size=80),
        st.sampled_from(
            [OTHER.pem[:-20], b"\n-----BEGIN PRIVATE KEY-----\n", annotated(OTHER.der)]
        ),
        st.text("\r\n# -BEGINCERTIFICATE:", max_size=60).map(str.encode),
    ),
)
@example(head=b"", tail=b"\n-----BEGIN X509 CRL-----\nMII")
@example(head=b"-----BEGIN CERTIFICATE-----\n", tail=b"")
@example(head=b"\x00", tail=b"")
@example(head=b"#" * 508 + b"\x00", tail=b"")
@example(head=b"#" * 507 + b"\x00", tail=b"\n\x00")
def test_whatever_is_in_the_file_it_is_refused_or_comes_back(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "property.pem"
    content = head + b"\n" + OTHER.pem + tail
    path.write_bytes(content)
    try:
        change = plan_addition(path, (ROOT.der,))
    except CertificateError:
        assert path.read_bytes() == content
        return
    carry_out(change)
    assert path.read_bytes() == content + b"\n" + annotated(ROOT.der)
    assert ROOT.der in additions_in(path.read_bytes())
    assert ROOT.der in loaded(path)
    remove(path, SHA)
    assert path.read_bytes() == content


KNOWN = [ROOT.der, OTHER.der, authority("A third").root.der]


@settings(max_examples=draws(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    content=st.sampled_from(sorted(SHAPES)[:-1]),
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "remove", "append"]), st.integers(0, 2)), max_size=12
    ),
)
def test_in_whatever_order_only_what_others_wrote_is_left(
    tmp_path_factory: pytest.TempPathFactory, content: str, steps: list[tuple[str, int]]
) -> None:
    """Additions and removals in any order, while others append what they like."""
    path = tmp_path_factory.getbasetemp() / "sequence.pem"
    backup_of(path).unlink(missing_ok=True)
    theirs = SHAPES[content]
    path.write_bytes(theirs)
    there = set(loaded(path))
    ours: set[bytes] = set()
    for step, number in steps:
        der = KNOWN[number]
        if step == "append":
            with path.open("ab") as file:
                file.write(b"\n# theirs %d\n" % number)
            theirs += b"\n# theirs %d\n" % number
        elif step == "add":
            add(path, der)
            ours |= {der} - there
        elif der in ours:
            remove(path, sha256(der).hexdigest())
            ours.remove(der)
        else:
            with pytest.raises(BundleError):
                plan_removal(path, [sha256(der).hexdigest()])
        assert set(additions_in(path.read_bytes())) == ours
        assert set(loaded(path)) == there | ours
    for der in ours:
        remove(path, sha256(der).hexdigest())
    assert path.read_bytes() == theirs


def test_two_additions_come_out_in_any_order(bundle: Path) -> None:
    original = bundle.read_bytes()
    add(bundle, ROOT.der, OTHER.der)
    assert additions_in(bundle.read_bytes()) == (ROOT.der, OTHER.der)
    remove(bundle, SHA)
    assert bundle.read_bytes() == original + b"\n" + annotated(OTHER.der)
    remove(bundle, sha256(OTHER.der).hexdigest().upper())
    assert bundle.read_bytes() == original


def test_mode_and_link_are_kept(bundle: Path, tmp_path: Path) -> None:
    bundle.chmod(0o640)
    link = tmp_path / "link.pem"
    link.symlink_to(bundle)
    backup = add(link, ROOT.der)
    assert link.is_symlink()
    assert ROOT.der in loaded(bundle)
    assert backup == backup_of(bundle)
    for path in (bundle, backup):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_is_kept(bundle: Path) -> None:
    os.chown(bundle, 12345, 23456)
    backup = add(bundle, ROOT.der)
    assert backup is not None
    for path in (bundle, backup):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs a limit on the size of files")
def test_what_cannot_be_written_leaves_no_backup_behind(bundle: Path) -> None:
    """As on a full disk: the copy still fits, the longer file does not."""
    import resource
    import signal

    before = bundle.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        with pytest.raises(BundleError, match="File too large"):
            add(bundle, ROOT.der)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert bundle.read_bytes() == before
    assert list(bundle.parent.iterdir()) == [bundle]


# Idempotent


def test_what_is_there_is_not_added_again(bundle: Path) -> None:
    add(bundle, ROOT.der)
    content, changed = bundle.read_bytes(), bundle.stat().st_mtime_ns
    change = plan_addition(bundle, (ROOT.der, ROOT.der))
    assert (change.added, change.present, change.changes) == ((), (ROOT.der,), False)
    assert carry_out(change) is None
    assert (bundle.read_bytes(), bundle.stat().st_mtime_ns) == (content, changed)


@pytest.mark.parametrize("form", ["plain", "crlf", "one-line", "certifi"])
def test_what_is_there_in_another_form_is_not_added_and_not_removed(
    tmp_path: Path, form: str
) -> None:
    one_line = ROOT.pem.splitlines()
    forms = {
        "plain": ROOT.pem,
        "crlf": ROOT.pem.replace(b"\n", b"\r\n"),
        "one-line": b"\n".join((one_line[0], b"".join(one_line[1:-1]), one_line[-1], b"")),
        "certifi": b'\n# Issuer: CN=x\n# Label: "x"\n# SHA256 Fingerprint: aa:bb\n' + ROOT.pem,
    }
    path = tmp_path / "b.pem"
    path.write_bytes(OTHER.pem + forms[form])
    assert not plan_addition(path, (ROOT.der,)).changes
    with pytest.raises(BundleError, match="stacktui did not add it"):
        plan_removal(path, [SHA])


def test_what_is_not_there_cannot_be_removed(bundle: Path) -> None:
    with pytest.raises(BundleError, match="does not hold"):
        plan_removal(bundle, [SHA])


def test_a_block_whose_fingerprint_is_of_another_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "b.pem"
    forged = annotated(ROOT.der).replace(SHA.encode(), sha256(OTHER.der).hexdigest().encode())
    path.write_bytes(OTHER.pem + b"\n" + forged)
    assert additions_in(path.read_bytes()) == ()
    for fingerprint in (SHA, sha256(OTHER.der).hexdigest()):
        with pytest.raises(BundleError):
            plan_removal(path, [fingerprint])


def test_a_copy_of_another_form_is_reported_when_ours_is_removed(bundle: Path) -> None:
    add(bundle, ROOT.der)
    with bundle.open("ab") as file:
        file.write(ROOT.pem)
    change = plan_removal(bundle, [SHA])
    assert (change.removed, change.present) == ((ROOT.der,), (ROOT.der,))


# What may be trusted


def test_a_leaf_is_refused_with_the_reason(bundle: Path) -> None:
    why = may_be_trusted(localhost().der, NOW)
    assert why == (
        "is no CA certificate but a leaf, which can be no root; trust the root above it, "
        "issued by Contoso Issuing CA"
    )
    with pytest.raises(BundleError, match="but a leaf"):
        plan_addition(bundle, (localhost().der,))


def test_who_may_be_trusted() -> None:
    assert may_be_trusted(ROOT.der, NOW) is None
    assert may_be_trusted(authority().intermediate.der, NOW) is None
    expired = issue("Old Root", (), None, starts=-9 * DAY, ends=-DAY)
    assert f"expired on {NOW - DAY:%Y-%m-%d}" == may_be_trusted(expired.der, NOW)
    name = (NameOID.COMMON_NAME, "x")
    assert may_be_trusted(root_named(name, key_cert_sign=True), NOW) is None
    why = may_be_trusted(root_named(name, digital_signature=True), NOW)
    assert why is not None
    assert "key usage" in why
    for noise in (b"", b"\x30\x00", b"\x30\x03\x02\x01\x05", ROOT.der[:-1], os.urandom(500)):
        why = may_be_trusted(noise, NOW)
        assert why is not None
        assert why.startswith("cannot be read")
        assert why.isprintable()


# Bundles that are none


def refusal(path: Path) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        plan_addition(path, (ROOT.der,))
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"<html>404</html>", FileProblem.HTML),
        (localhost().key_pem, FileProblem.KEY_ONLY),
        (authority("Big Enough To Have A Two Byte Length").root.der, FileProblem.DER),
        (b"hello", FileProblem.NO_CERTIFICATE),
    ],
    ids=["empty", "html", "key", "der", "text"],
)
def test_a_file_that_is_no_bundle_is_refused(
    tmp_path: Path, content: bytes, problem: FileProblem
) -> None:
    path = tmp_path / "b.pem"
    path.write_bytes(content)
    error = refusal(path)
    assert isinstance(error, CertificateFileError)
    assert error.problem is problem


def test_a_bundle_of_others_must_be_there(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none.pem")
    assert isinstance(error, CertificateFileError)
    assert error.problem is FileProblem.MISSING
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (OTHER.pem + OTHER.pem[: len(OTHER.pem) // 2], "damaged certificate at line"),
        (OTHER.pem.replace(b"MII", b"!!!") + OTHER.pem, "damaged certificate at line 1"),
        (OTHER.pem + b"-----BEGIN X509 CRL-----\nMII", "keeps OpenSSL from reading"),
    ],
    ids=["cut-off", "no-base64", "another-block-cut-off"],
)
def test_nothing_is_appended_where_openssl_would_not_find_it(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "b.pem"
    path.write_bytes(content)
    assert words in str(refusal(path))


# Backups and files of our own


def test_the_backup_is_the_file_as_it_was_before_the_first_addition(bundle: Path) -> None:
    original = bundle.read_bytes()
    backup = add(bundle, ROOT.der)
    assert backup == bundle.with_name("cacert.pem.before-stacktui")
    assert backup.read_bytes() == original
    assert add(bundle, OTHER.der) is None
    assert backup.read_bytes() == original
    remove(bundle, SHA)
    assert backup.read_bytes() == original
    remove(bundle, sha256(OTHER.der).hexdigest())
    assert not backup.exists()


def test_an_upgraded_bundle_is_backed_up_anew(bundle: Path) -> None:
    add(bundle, ROOT.der)
    upgraded = bundle.read_bytes()[:2000].rpartition(b"-----END")[0] and OTHER.pem
    bundle.write_bytes(upgraded)
    backup = add(bundle, ROOT.der)
    assert backup is not None
    assert backup.read_bytes() == upgraded


def test_a_backup_is_not_written_through_a_link(bundle: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    backup_of(bundle).symlink_to(victim)
    original = bundle.read_bytes()
    with pytest.raises(BundleError, match="is a link"):
        add(bundle, ROOT.der)
    assert (victim.read_bytes(), bundle.read_bytes()) == (b"mine", original)


def test_a_file_of_ours_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "config" / "ca-bundle.pem"
    assert carry_out(plan_addition(path, (ROOT.der,), ours=True)) is None
    assert loaded(path) == [ROOT.der]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert holds_only_additions(path.read_bytes())
    carry_out(plan_addition(path, (OTHER.der,), ours=True))
    carry_out(plan_removal(path, [SHA], ours=True))
    assert loaded(path) == [OTHER.der]
    carry_out(plan_removal(path, [sha256(OTHER.der).hexdigest()], ours=True))
    assert not list(path.parent.iterdir())


def test_a_bundle_of_others_never_goes(tmp_path: Path) -> None:
    path = tmp_path / "b.pem"
    path.write_bytes(b"\n" + annotated(ROOT.der))
    remove(path, SHA)
    assert path.read_bytes() == b""


def test_what_others_did_meanwhile_is_kept(bundle: Path) -> None:
    first, second = (plan_addition(bundle, (each.der,)) for each in (ROOT, OTHER))
    again = plan_addition(bundle, (ROOT.der,))
    original = bundle.read_bytes()
    for change in (first, second, again):
        carry_out(change)
    both = b"\n" + annotated(ROOT.der) + b"\n" + annotated(OTHER.der)
    assert bundle.read_bytes() == original + both
    stale: list[Change] = [plan_removal(bundle, [SHA]) for _ in range(2)]
    carry_out(stale[0])
    with pytest.raises(BundleError, match="does not hold"):
        carry_out(stale[1])
    assert bundle.read_bytes() == original + b"\n" + annotated(OTHER.der)


def test_a_full_disk_leaves_the_bundle_as_it_was(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = bundle.read_bytes()

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(BundleError, match=r"cannot be written \(No space left on device\)"):
        add(bundle, ROOT.der)
    assert bundle.read_bytes() == original
    assert list(bundle.parent.iterdir()) == [bundle]


def test_an_issued_certificate_is_read_back_whole() -> None:
    """The roots that everyone uses: each of certifi's can be added to a file and is ours then."""
    context = ssl.create_default_context(cafile=certifi.where())
    content = OTHER.pem
    ders = context.get_ca_certs(binary_form=True)
    for der in ders:
        content += b"\n" + annotated(der)
    assert additions_in(content) == tuple(ders)
    assert len(ders) > 50
