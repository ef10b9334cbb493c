"""The stores of this machine, what they hold, and whom they trust: against the openssl command."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stacktui.certificates import stores
from stacktui.certificates.additions import remember
from stacktui.certificates.bundle import annotated
from stacktui.certificates.chain import describe, fingerprint
from stacktui.certificates.files import MAX_SIZE
from stacktui.certificates.stores import (
    MAX_UNREADABLE,
    Store,
    StoreKind,
    StoreState,
    find_stores,
    read_stores,
    store_context,
    system_paths,
)
from stacktui.certificates.trust import TrustFileError, TrustSource
from stacktui.certificates.verify import verify
from tests.support.authority import DAY, STRANGERS, Issued, authority, issue, localhost

pytestmark = pytest.mark.every_root
ROOT = authority().root
INTERMEDIATE = authority().intermediate
NOW = datetime.now(UTC)
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(autouse=True)
def _no_az(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The `az` of this machine is not a store here, nor its waagent's."""
    monkeypatch.setattr(stores, "find_azure_clis", lambda **_: ())
    monkeypatch.setattr(stores, "WAAGENT", tmp_path / "no" / "waagent.pem")


def store(*paths: Path, kind: StoreKind = StoreKind.REQUESTS) -> Store:
    return Store(kind, "test", tuple(TrustSource("test", str(path)) for path in paths))


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def read(path: Path, kind: StoreKind = StoreKind.REQUESTS) -> StoreState:
    state = read_stores([store(path, kind=kind)], NOW)[0]
    for line in (state.problem, *state.unreadable):
        assert line.isprintable()
    return state


def refused(path: Path, kind: StoreKind = StoreKind.REQUESTS) -> str:
    """Why a store cannot be used; the context is refused in the same words."""
    problem = read(path, kind).problem
    with pytest.raises(TrustFileError) as caught:
        store_context(store(path, kind=kind))
    assert str(caught.value) == problem
    return problem


def roots(number: int) -> list[Issued]:
    key = ROOT.key
    return [issue(f"Root {each}", (), None, key=key) for each in range(number)]


def rehashed(folder: Path, *issued: Issued) -> Path:
    folder.mkdir()
    for number, each in enumerate(issued):
        (folder / f"root{number}.pem").write_bytes(each.pem)
    subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
    return folder


# Which stores there are


def kinds(found: tuple[Store, ...]) -> list[StoreKind]:
    return [each.kind for each in found]


def test_the_stores_of_a_bare_box(tmp_path: Path) -> None:
    found = find_stores(None, tmp_path / "none.pem")
    assert kinds(found)[:2] == [StoreKind.IN_USE, StoreKind.CERTIFI]
    assert set(kinds(found)) <= {StoreKind.IN_USE, StoreKind.CERTIFI, StoreKind.SYSTEM}
    assert found[1].path == certifi.where()


def test_all_stores_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = written(tmp_path / "own.pem", ROOT.pem)
    waagent = written(tmp_path / "waagent.pem", ROOT.pem)
    monkeypatch.setattr(stores, "WAAGENT", waagent)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "requests.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "curl.pem")
    monkeypatch.setenv("SSL_CERT_FILE", "file.pem")
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(["", "one", "two"]))
    found = {each.name: each for each in find_stores(Path("ca.pem"), own)}
    system = ["system"] if "system" in found else []
    assert list(found) == [
        "in use", "own bundle", "certifi", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "SSL_CERT_FILE", "SSL_CERT_DIR", *system, "waagent",
    ]  # fmt: skip
    assert found["in use"].sources == (
        TrustSource("REQUESTS_CA_BUNDLE", "requests.pem"),
        TrustSource("own bundle", str(own)),
        TrustSource("ca", "ca.pem"),
    )
    assert found["in use"].path == f"requests.pem + {own} + ca.pem"
    assert found["own bundle"].path == str(own)
    assert found["waagent"].path == str(waagent)
    assert found["SSL_CERT_DIR"].path == "one + two"
    assert found["SSL_CERT_FILE"].sources == (TrustSource("SSL_CERT_FILE", "file.pem"),)


def test_an_empty_variable_names_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep)
    found = kinds(find_stores(None, tmp_path / "none"))
    assert set(found) <= {StoreKind.IN_USE, StoreKind.CERTIFI, StoreKind.SYSTEM}


def test_an_az_is_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    packages = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    core = packages / "azure" / "cli" / "core"
    core.mkdir(parents=True)
    (core / "__init__.py").write_text('__version__ = "2.77.0"\n')
    shutil.copytree(Path(certifi.where()).parent, packages / "certifi")
    launcher = tmp_path / "venv" / "bin" / "az"
    launcher.parent.mkdir()
    launcher.write_text(f"#!{tmp_path}/venv/bin/python\n")
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(launcher.parent))
    found = next(each for each in find_stores(None, tmp_path) if each.kind is StoreKind.AZ)
    assert (found.name, found.detail) == ("az 2.77.0", str(launcher))
    assert found.sources == (TrustSource("az 2.77.0", str(packages / "certifi" / "cacert.pem")),)
    assert store_context(found) is store_context(store(Path(certifi.where())))


def test_the_systems_store_is_what_openssl_has_without_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    found = [each for each in find_stores(None, tmp_path) if each.kind is StoreKind.SYSTEM]
    if not found:
        pytest.skip("this machine has no store of the system's")
    assert str(tmp_path) not in found[0].path
    defaults = ssl.get_default_verify_paths()
    if os.path.isfile(defaults.openssl_cafile):
        assert found[0].sources[0].path == defaults.openssl_cafile
    assert read_stores([found[0]], NOW)[0].count > 50


def paths(file: Path, folder: Path) -> ssl.DefaultVerifyPaths:
    """What a Python says whose OpenSSL was built for these; the variables are in use."""
    return ssl.DefaultVerifyPaths("used", "used", "F", str(file), "D", str(folder))


@needs_openssl
def test_the_systems_file_and_folder_count_as_far_as_they_are_there(tmp_path: Path) -> None:
    file = written(tmp_path / "cert.pem", ROOT.pem)
    hashed = rehashed(tmp_path / "hashed", ROOT)
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "root.pem").write_bytes(ROOT.pem)
    other = (str(tmp_path / "no"), str(written(tmp_path / "bundle.pem", ROOT.pem)), str(file))
    missing = tmp_path / "missing"
    assert system_paths(paths(file, hashed), other) == (str(file), str(hashed))
    assert system_paths(paths(file, plain), other) == (str(file),)
    assert system_paths(paths(missing, hashed), other) == (str(hashed),)
    assert system_paths(paths(missing, plain), other) == (str(tmp_path / "bundle.pem"),)
    assert system_paths(paths(missing, missing), ()) == ()


# Whom a store trusts


def purposed(*purposes: x509.ObjectIdentifier) -> Issued:
    """A leaf for `localhost` with an extended key usage."""
    key = localhost().key
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(INTERMEDIATE.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(INTERMEDIATE.key, hashes.SHA256())
    )
    return Issued(certificate, key)


OLD_ROOT = issue("Old Root", (), None, starts=-9 * DAY, ends=-DAY)
UNDER_OLD = issue("localhost", ("localhost",), OLD_ROOT)
ALONE = issue("localhost", ("localhost",), None)
CHAIN = (localhost(), INTERMEDIATE)
CLIENT_ONLY = purposed(ExtendedKeyUsageOID.CLIENT_AUTH)
BOTH = purposed(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)

# In the store, presented, name, and OpenSSL's number.
CASES: dict[str, tuple[tuple[Issued, ...], tuple[Issued, ...], str, int]] = {
    "trusted": ((STRANGERS.root, ROOT), CHAIN, "localhost", 0),
    "root presented too": ((ROOT,), (*CHAIN, ROOT), "localhost", 0),
    "root unknown": ((STRANGERS.root,), CHAIN, "localhost", 20),
    "root unknown but presented": ((STRANGERS.root,), (*CHAIN, ROOT), "localhost", 19),
    "intermediate alone in the store": ((INTERMEDIATE,), CHAIN, "localhost", 2),
    "intermediate in the store too": ((ROOT, INTERMEDIATE), CHAIN[:1], "localhost", 0),
    "intermediate missing": ((ROOT,), CHAIN[:1], "localhost", 20),
    "root expired": ((OLD_ROOT,), (UNDER_OLD,), "localhost", 10),
    "leaf self-signed": ((ROOT,), (ALONE,), "localhost", 18),
    "leaf self-signed and in the store": ((ALONE,), (ALONE,), "localhost", 0),
    "wrong name": ((ROOT,), CHAIN, "other.example", 62),
    "wrong purpose": ((ROOT,), (CLIENT_ONLY, INTERMEDIATE), "localhost", 26),
    "right purpose": ((ROOT,), (BOTH, INTERMEDIATE), "localhost", 0),
}


def said_by_openssl(option: str, place: Path, chain: tuple[Issued, ...], host: str) -> int:
    """The number that `openssl verify` ends with, as a TLS client would judge; 0 for OK."""
    folder = place.parent
    leaf = written(folder / "leaf.pem", chain[0].pem)
    below = written(folder / "below.pem", b"".join(each.pem for each in chain[1:]) or b"\n")
    untrusted = ["-untrusted", below] if chain[1:] else []
    done = subprocess.run(
        ["openssl", "verify", "-no-CAfile", "-no-CApath", "-no-CAstore", option, place,
         "-purpose", "sslserver", "-verify_hostname", host, *untrusted, leaf],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return 0
    return int(done.stderr.split("error ")[1].split()[0])


@needs_openssl
@pytest.mark.parametrize("form", ["file", "folder"])
@pytest.mark.parametrize(("held", "chain", "host", "code"), CASES.values(), ids=CASES)
def test_a_store_trusts_whom_openssl_trusts_with_it(
    tmp_path: Path,
    form: str,
    held: tuple[Issued, ...],
    chain: tuple[Issued, ...],
    host: str,
    code: int,
) -> None:
    if form == "file":
        place = written(tmp_path / "store.pem", b"".join(each.pem for each in held))
    else:
        place = rehashed(tmp_path / "store", *held)
    ours = verify([each.der for each in chain], host, store_context(store(place)))
    option = "-CAfile" if form == "file" else "-CApath"
    assert ours.code == said_by_openssl(option, place, chain, host) == code


def test_each_file_of_a_store_counts(tmp_path: Path) -> None:
    both = store(
        written(tmp_path / "1.pem", STRANGERS.root.pem), written(tmp_path / "2.pem", ROOT.pem)
    )
    assert verify([each.der for each in CHAIN], "localhost", store_context(both)).ok
    assert read_stores([both], NOW)[0].count == 2


def test_a_context_verifies_and_holds_this_store_alone(tmp_path: Path) -> None:
    context = store_context(store(written(tmp_path / "ca.pem", ROOT.pem)))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs(binary_form=True) == [ROOT.der]


# One context for equal content


def test_equal_content_is_loaded_once_wherever_it_is(tmp_path: Path) -> None:
    one, two = written(tmp_path / "1.pem", ROOT.pem), written(tmp_path / "2.pem", ROOT.pem)
    context = store_context(store(one))
    assert store_context(store(two)) is context
    assert store_context(store(one, kind=StoreKind.IN_USE)) is context
    assert store_context(store(written(tmp_path / "3.pem", ROOT.pem + b"\n"))) is not context
    assert store_context(store(one, two)) is not context


def test_changed_content_is_loaded_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "ca.pem", ROOT.pem)
    before = store_context(store(path))
    written(path, STRANGERS.root.pem + b"\n")
    assert store_context(store(path)).get_ca_certs(binary_form=True) == [STRANGERS.root.der]
    written(path, ROOT.pem)
    assert store_context(store(path)) is before


@needs_openssl
@pytest.mark.parametrize("kind", [StoreKind.REQUESTS, StoreKind.SSL_DIR, StoreKind.IN_USE])
def test_a_folder_that_changed_is_loaded_anew(tmp_path: Path, kind: StoreKind) -> None:
    folder = rehashed(tmp_path / "certs", STRANGERS.root)
    chain = [each.der for each in CHAIN]
    place = store(folder, kind=kind)
    before = store_context(place)
    assert verify(chain, "localhost", before).code == 20
    assert store_context(place) is before
    # The same name, in place: the folder itself does not change.
    (folder / "root0.pem").write_bytes(STRANGERS.root.pem + ROOT.pem)
    assert store_context(place) is not before
    (folder / "more.pem").write_bytes(ROOT.pem)
    subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
    assert verify(chain, "localhost", store_context(place)).ok


def test_threads_that_want_the_same_store_load_it_once(tmp_path: Path) -> None:
    path = written(tmp_path / "ca.pem", Path(certifi.where()).read_bytes() + ROOT.pem)
    together = threading.Barrier(8)

    def load(_: int) -> tuple[ssl.SSLContext, int]:
        together.wait()
        return store_context(store(path)), read_stores([store(path)], NOW)[0].count

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(load, range(8)))
    assert len({id(context) for context, _ in found}) == 1
    assert len({count for _, count in found}) == 1


def test_more_stores_than_are_kept_work(tmp_path: Path) -> None:
    for number, root in enumerate(roots(stores._KEPT + 5)):
        path = written(tmp_path / f"{number}.pem", root.pem)
        assert store_context(store(path)).get_ca_certs(binary_form=True) == [root.der]
    assert len(stores._slots) <= stores._KEPT


# What a store holds


def test_certifi_is_read_whole() -> None:
    state = read(Path(certifi.where()))
    loaded = store_context(state.store).get_ca_certs()
    assert state.count == len(loaded)
    assert (state.problem, state.unreadable, state.additions, state.lost) == ("", (), (), ())


def test_the_expired_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "ca.pem", ROOT.pem + OLD_ROOT.pem)
    state = read(path)
    assert state.count == 2
    assert [each.common_name for each in state.expired] == ["Old Root"]
    assert state.expired[0].not_after == OLD_ROOT.certificate.not_valid_after_utc
    assert read_stores([store(path)], NOW - 2 * DAY)[0].expired == ()


def test_what_stacktui_added_is_distinguished_from_the_rest(tmp_path: Path) -> None:
    content = STRANGERS.root.pem + b"\n" + annotated(ROOT.der)
    state = read(written(tmp_path / "ca.pem", content))
    assert state.count == 2
    assert [each.sha256 for each in state.additions] == [fingerprint(ROOT.der)]


def test_a_lost_addition_belongs_to_its_store(tmp_path: Path) -> None:
    path = written(tmp_path / "cacert.pem", STRANGERS.root.pem + b"\n" + annotated(ROOT.der))
    link = tmp_path / "link.pem"
    link.symlink_to(path)
    other = written(tmp_path / "other.pem", STRANGERS.root.pem)
    assert remember(path, [ROOT.der]) == ""
    assert read(path).lost == ()
    written(path, STRANGERS.root.pem)  # as an upgrade does
    for each in (path, link):
        (lost,) = read(each).lost
        assert (lost.subject, lost.gone) == ("CN=Contoso Root CA", False)
    assert read(other).lost == ()


def test_an_addition_is_lost_also_to_an_upgrade_of_python(tmp_path: Path) -> None:
    old, new = (
        tmp_path / "az" / "lib" / f"python3.{minor}" / "certifi" / "cacert.pem"
        for minor in (11, 13)
    )
    new.parent.mkdir(parents=True)
    new.write_bytes(STRANGERS.root.pem)
    assert remember(old, [ROOT.der]) == ""
    (lost,) = read(new).lost
    assert (lost.path, lost.gone) == (old, True)


# Odd files


GOOD: dict[str, Callable[[], bytes]] = {
    "crlf": lambda: ROOT.pem.replace(b"\n", b"\r\n"),
    "mark": lambda: b"\xef\xbb\xbf" + ROOT.pem,
    "comments with escapes": lambda: b"# \x1b[31mred\x1b]0;title\x07 \x9b\n\r\n" + ROOT.pem,
    "latin-1": lambda: "# Stammzertifikat für uns\n".encode("latin-1") + ROOT.pem,
    "nul between": lambda: b"# \0\0\n" + ROOT.pem + b"\0\n",
    "twice": lambda: ROOT.pem * 2,
    "a key too": lambda: localhost().key_pem + ROOT.pem,
    "no line break at the end": lambda: ROOT.pem.strip(),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_a_file_that_openssl_takes_is_taken(tmp_path: Path, content: Callable[[], bytes]) -> None:
    path = written(tmp_path / "ca.pem", content())
    state = read(path)
    assert (state.count, state.problem, state.unreadable) == (1, "", ())
    assert store_context(state.store).get_ca_certs(binary_form=True) == [ROOT.der]


def test_200_certificates(tmp_path: Path) -> None:
    state = read(written(tmp_path / "ca.pem", b"\n".join(each.pem for each in roots(200))))
    assert (state.count, state.problem) == (200, "")


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "html": (lambda: b"<!DOCTYPE html><title>404</title>", "is an HTML page"),
    "key only": (lambda: localhost().key_pem, "holds a private key but no certificate"),
    "der": (lambda: ROOT.der, "is in DER form; PEM is needed"),
    "nul at the start": (lambda: b"\0\n" + ROOT.pem, "holds no usable PEM certificate"),
    "indented": (lambda: b"  " + ROOT.pem, "holds no usable PEM certificate"),
    "nul": (lambda: b"\0" * 5000, "holds no usable PEM certificate"),
    "utf-16": (lambda: ROOT.pem.decode().encode("utf-16"), "holds no usable PEM certificate"),
    "cut off": (lambda: ROOT.pem[:300], "holds no usable PEM certificate"),
}


@pytest.mark.parametrize(("content", "why"), BAD.values(), ids=BAD)
def test_a_file_that_openssl_refuses_has_the_reason(
    tmp_path: Path, content: Callable[[], bytes], why: str
) -> None:
    path = written(tmp_path / "ca.pem", content())
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    assert why in refused(path)


def test_one_damaged_entry_spoils_the_file_and_is_named(tmp_path: Path) -> None:
    spoilt = b"-----BEGIN CERTIFICATE-----\nM!!!\n-----END CERTIFICATE-----\n"
    line = ROOT.pem.count(b"\n") + 1
    path = written(tmp_path / "ca.pem", ROOT.pem + spoilt + STRANGERS.root.pem)
    assert f"OpenSSL refuses all of it for the damaged certificate at line {line}" in refused(path)
    state = read(path)
    assert state.count == 2
    assert state.unreadable == (f"{path}, line {line}: damaged, or cut off",)


def test_an_entry_that_openssl_passes_over_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path / "ca.pem", ROOT.pem + b"root: " + STRANGERS.root.pem)
    state = read(path)
    assert store_context(state.store).get_ca_certs(binary_form=True) == [ROOT.der]
    assert (state.count, state.problem) == (1, "")
    line = ROOT.pem.count(b"\n") + 1
    why = "OpenSSL passes over it, as it does not start a line"
    assert state.unreadable == (f"{path}, line {line}: {why}",)


def test_a_leaf_in_a_store_counts(tmp_path: Path) -> None:
    assert read(written(tmp_path / "ca.pem", ROOT.pem + ALONE.pem)).count == 2


def test_an_entry_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    odd = ssl.DER_cert_to_PEM_cert(b"\x30\x03\x02\x01\x05").encode()
    path = written(tmp_path / "ca.pem", ROOT.pem + odd)
    state = read(path)
    assert state.count == 1
    assert state.unreadable[0].startswith(f"{path}, line {ROOT.pem.count(10) + 1}: ")
    assert state.problem


def test_unreadable_entries_are_reported_up_to_a_number(tmp_path: Path) -> None:
    odd = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"
    state = read(written(tmp_path / "ca.pem", odd * (MAX_UNREADABLE + 7)))
    assert len(state.unreadable) == MAX_UNREADABLE + 1
    assert state.unreadable[-1] == "and 7 more"


@pytest.mark.timeout(20)
def test_a_giant_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert "is too large to be a bundle" in refused(path)


@pytest.mark.timeout(60)
def test_the_largest_file_full_of_nonsense_is_read_in_bounded_time(tmp_path: Path) -> None:
    line = b"-----BEGIN CERTIFICATE-----\n"
    path = written(tmp_path / "ca.pem", line * (MAX_SIZE // len(line)))
    assert "holds no usable PEM certificate" in refused(path)


@pytest.mark.timeout(5)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "cannot be read (not a regular file)" in refused(tmp_path / "fifo")


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\n.pem"
    assert refused(path) == rf"test: {tmp_path}/a\x1b[31m\n.pem is not there"


def test_a_name_with_a_nul_and_a_loop_are_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read" in refused(tmp_path / "loop")
    assert read(Path("a\0b")).problem == r"test: a\x00b cannot be read (embedded null byte)"


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_no_permission_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    """As waagent's file for all but root: the store is listed, and says why it is of no use."""
    folder = tmp_path / "waagent"
    folder.mkdir(mode=0o700)
    (folder / "Certificates.pem").write_bytes(ROOT.pem)
    folder.chmod(0)
    program = f"""
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from stacktui.certificates import stores
def look():
    found = stores.find_stores(None, Path("/nonexistent/own.pem"))[-1]
    return found, stores.read_stores([found], datetime.now(UTC))[0]
look()  # imports all that it needs, which only root may be able to
if os.geteuid() == 0:
    os.setuid(65534)
stores.WAAGENT = Path({str(folder / "Certificates.pem")!r})
found, state = look()
print(found.name, state.count, state.problem)
"""
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
    finally:
        folder.chmod(0o700)
    place = folder / "Certificates.pem"
    assert done.stdout == f"waagent 0 waagent: {place} cannot be read (Permission denied)\n"


# Folders


@needs_openssl
def test_a_hashed_folder_holds_what_its_hashes_lead_to(tmp_path: Path) -> None:
    folder = rehashed(tmp_path / "certs", ROOT, STRANGERS.root)
    (folder / "unhashed.pem").write_bytes(OLD_ROOT.pem)
    state = read(folder)
    assert (state.count, state.problem, state.unreadable) == (2, "", ())


@pytest.mark.parametrize("content", [b"", ROOT.pem], ids=["empty", "without-hashes"])
def test_a_folder_without_hashes_trusts_nobody(tmp_path: Path, content: bytes) -> None:
    if content:
        (tmp_path / "root.pem").write_bytes(content)
    state = read(tmp_path)
    assert state.count == 0
    assert "openssl rehash" in state.problem
    chain = [each.der for each in CHAIN]
    assert verify(chain, "localhost", store_context(store(tmp_path))).code == 20


@needs_openssl
def test_what_openssl_passes_over_in_a_folder_is_named(tmp_path: Path) -> None:
    folder = rehashed(tmp_path / "certs", ROOT)
    hashed = next(path for path in folder.iterdir() if path.is_symlink())
    (folder / "root0.pem").write_bytes(ROOT.der)
    (folder / "00000000.0").symlink_to("missing.pem")
    (folder / "00000001.0").write_bytes(b"<html>")
    (folder / "00000002.0").write_bytes(STRANGERS.root.pem)
    state = read(folder)
    assert state.count == 1
    assert sorted(state.unreadable) == sorted(
        [
            f"{folder}/00000000.0 is not there",
            f"{folder}/00000001.0 is an HTML page, probably a download that failed",
            f"{hashed} is in DER form; PEM is needed",
        ]
    )
    chain = [each.der for each in CHAIN]
    assert verify(chain, "localhost", store_context(store(folder))).code == 20


@pytest.mark.timeout(10)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_folder_that_would_hold_openssl_up_is_refused(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "1" / "0123abcd.0")
    with (tmp_path / "2" / "0123abcd.0").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert "0123abcd.0 is not a regular file" in refused(tmp_path / "1")
    assert "is too large to be a bundle" in refused(tmp_path / "2")


@needs_openssl
def test_ssl_cert_dir_is_one_store_of_several_folders(tmp_path: Path) -> None:
    one, two = rehashed(tmp_path / "1", ROOT), rehashed(tmp_path / "2", STRANGERS.root)
    gone, file = tmp_path / "gone", written(tmp_path / "ca.pem", ROOT.pem)
    whole = store(gone, one, file, two, kind=StoreKind.SSL_DIR)
    state = read_stores([whole], NOW)[0]
    assert (state.count, state.problem) == (2, "")
    assert state.unreadable == (
        f"test: {gone} is not there",
        f"test: {file} cannot be read (it is not a directory)",
    )
    assert verify([each.der for each in CHAIN], "localhost", store_context(whole)).ok
    assert refused(gone, StoreKind.SSL_DIR) == f"test: {gone} is not there"


def test_ssl_cert_file_may_be_no_folder_nor_ssl_cert_dir_a_file(tmp_path: Path) -> None:
    file = written(tmp_path / "ca.pem", ROOT.pem)
    assert "it is a directory" in refused(tmp_path, StoreKind.SSL_FILE)
    assert "it is not a directory" in refused(file, StoreKind.SSL_DIR)
    assert read(file, StoreKind.SSL_FILE).problem == ""


# Cheap where it must be


def test_finding_and_loading_needs_no_certificate_library(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from stacktui.certificates.stores import find_stores, store_context
for store in find_stores(None, Path("none")):
    store_context(store)
print("cryptography" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=dict(os.environ) | {"PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


def test_a_store_is_parsed_once(tmp_path: Path) -> None:
    many = roots(100)
    paths_ = [
        written(tmp_path / "1.pem", b"".join(each.pem for each in many)),
        written(tmp_path / "2.pem", b"# another bundle\n" + b"".join(each.pem for each in many)),
    ]
    before = describe.cache_info().misses
    for path in paths_ * 2:
        assert read(path).count == 100
    assert describe.cache_info().misses - before == 100
