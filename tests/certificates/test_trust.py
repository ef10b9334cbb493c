"""Which files are trusted, and what is wrong with one that cannot be."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import pytest
import requests

from stacktui.certificates.trust import (
    BASE_VARIABLES,
    MAX_SIZE,
    FileProblem,
    TrustFileError,
    TrustFileFault,
    TrustSource,
    TrustUsed,
    build_context,
    ca_sources,
    known_context,
)
from tests.support.authority import STRANGERS, authority, issue, localhost
from tests.support.sessions import MIB, failure, opened
from tests.support.web import answer, serving

pytestmark = pytest.mark.every_root
ROOT = authority().root
PEM = ROOT.pem


def used(*paths: Path, setting: str = "ca") -> TrustUsed:
    return TrustUsed(tuple(TrustSource(setting, str(path)) for path in paths))


def fault(path: Path) -> TrustFileFault:
    with pytest.raises(TrustFileError) as caught:
        build_context(used(path))
    assert caught.value.fault.setting == "ca"
    return caught.value.fault


def loaded(path: Path) -> list[bytes]:
    return build_context(used(path)).get_ca_certs(binary_form=True)


def test_certifi_is_the_base_of_last_resort(tmp_path: Path) -> None:
    found = ca_sources(None, tmp_path / "none.pem")
    assert found.sources == (TrustSource("certifi", certifi.where()),)


def test_ssl_cert_file_comes_before_certifi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "base.pem")
    assert ca_sources(None, tmp_path / "x").sources == (TrustSource("SSL_CERT_FILE", "base.pem"),)


def test_curl_ca_bundle_comes_before_ssl_cert_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "third.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "second.pem")
    found = ca_sources(None, tmp_path / "x").sources
    assert found == (TrustSource("CURL_CA_BUNDLE", "second.pem"),)


def test_requests_ca_bundle_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "third.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "second.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "first.pem")
    found = ca_sources(None, tmp_path / "x").sources
    assert found == (TrustSource("REQUESTS_CA_BUNDLE", "first.pem"),)


@pytest.mark.parametrize("named", BASE_VARIABLES)
def test_the_variables_of_requests_come_in_its_order(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each alone, and with all that come after it, as `requests` itself chooses."""
    for name in BASE_VARIABLES[BASE_VARIABLES.index(named) :]:
        monkeypatch.setenv(name, f"{name}.pem")
    chosen = requests.Session().merge_environment_settings("https://x.test", {}, None, None, None)
    expected = f"{named}.pem" if named != "SSL_CERT_FILE" else True  # not a variable of requests
    assert chosen["verify"] == expected
    assert ca_sources(None, tmp_path / "x").sources[0] == TrustSource(named, f"{named}.pem")


def test_an_empty_variable_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    assert ca_sources(None, tmp_path / "x").sources[0].setting == "certifi"


def test_the_own_bundle_and_ca_come_on_top(tmp_path: Path) -> None:
    own, ca = tmp_path / "own.pem", tmp_path / "ca.pem"
    own.touch()
    assert [each.setting for each in ca_sources(ca, own).sources] == [
        "certifi",
        "own bundle",
        "ca",
    ]
    assert ca_sources(ca, own).sources[1:] == (
        TrustSource("own bundle", str(own)),
        TrustSource("ca", str(ca)),
    )


async def test_every_file_counts_plus_and_not_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real handshakes: each of three roots is trusted, a fourth is not."""
    authorities = [authority(name) for name in ("Base", "Own", "Stamp")]
    paths = [tmp_path / name for name in ("base.pem", "own.pem", "ca.pem")]
    for path, each in zip(paths, authorities, strict=True):
        path.write_bytes(each.root.pem)
    base, own, ca = paths
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(base))
    context = build_context(ca_sources(ca, own))
    for each in authorities:
        async with (
            serving(answer(), context=each.server(each.leaf("localhost"))) as web,
            opened(context) as session,
        ):
            assert (await session.fetch("GET", web.url, limit=MIB)).status == 200
    strange = STRANGERS.server(STRANGERS.leaf("localhost"))
    async with serving(answer(), context=strange) as web, opened(context) as session:
        verdict, _ = await failure(session, web.url)
    assert verdict.verify_code == 20


def test_certifi_is_really_loaded_besides(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(PEM)
    found = build_context(ca_sources(ca, tmp_path / "none")).get_ca_certs(binary_form=True)
    assert ROOT.der in found
    assert len(found) > 50


def test_a_context_verifies(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(PEM)
    context = build_context(used(tmp_path / "ca.pem"))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "content",
    [
        PEM,
        PEM.replace(b"\n", b"\r\n"),
        b'# Issuer: CN=x\n# Label: "y"\n\n' + PEM,
        b"\xef\xbb\xbf# a comment, with a mark\n" + PEM,
        b"\xef\xbb\xbf" + PEM,
        "# Ümläut\n".encode() + PEM,
        "# Ümläut\n".encode("latin-1") + PEM,
        PEM.strip(),
        b"\n\n" + PEM + b"\n\n",
        localhost().key_pem + PEM,
        PEM.replace(b"BEGIN CERT", b"BEGIN X509 CERT").replace(b"END CERT", b"END X509 CERT"),
        PEM + PEM,
    ],
    ids=[
        "plain",
        "crlf",
        "comments",
        "mark",
        "mark-alone",
        "utf-8",
        "latin-1",
        "bare",
        "blank-lines",
        "key-too",
        "x509",
        "twice",
    ],
)
def test_a_good_file_is_trusted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    assert loaded(path) == [ROOT.der]


def test_a_big_bundle_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes((b"# " + b"x" * 1000 + b"\n") * 3000 + PEM)
    assert loaded(path) == [ROOT.der]


def test_a_hashed_directory_is_trusted(tmp_path: Path) -> None:
    context = build_context(used(tmp_path))
    assert context.get_ca_certs() == []  # loaded as they are needed
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b" \r\n\t\n", FileProblem.EMPTY),
        (ROOT.der, FileProblem.DER),
        (localhost().key_pem, FileProblem.KEY_ONLY),
        (b"<html><body>404</body></html>", FileProblem.HTML),
        (b"\n\n <!DOCTYPE html>", FileProblem.HTML),
        (b"\xef\xbb\xbf<!DOCTYPE html>", FileProblem.HTML),
        (b"hello", FileProblem.NO_CERTIFICATE),
        (PEM.replace(b"MII", b"!!!"), FileProblem.NO_CERTIFICATE),
        (PEM[: len(PEM) // 2], FileProblem.NO_CERTIFICATE),
        (PEM.decode().encode("utf-16"), FileProblem.NO_CERTIFICATE),
        (bytes(range(1, 256)) * 8, FileProblem.NO_CERTIFICATE),
        (PEM.replace(b" CERTIFICATE-", b" CERTIFICATE REQUEST-"), FileProblem.NO_CERTIFICATE),
    ],
    ids=[
        "empty",
        "blank",
        "der",
        "key",
        "html",
        "doctype",
        "html-with-mark",
        "text",
        "damaged",
        "cut",
        "utf-16",
        "noise",
        "request",
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    tmp_path: Path, content: bytes, problem: FileProblem
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    found = fault(path)
    assert (found.problem, found.path) == (problem, str(path))
    assert found.detail.isprintable()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pem", tmp_path / "plain" / "ca.pem"):
        (tmp_path / "plain").touch()
        found = fault(path)
        assert (found.problem, found.path) == (FileProblem.MISSING, str(path))


def test_a_missing_file_is_named_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(TrustFileError) as caught:
        known_context(used(tmp_path / "none.pem", setting="REQUESTS_CA_BUNDLE"))
    assert caught.value.fault.setting == "REQUESTS_CA_BUNDLE"
    assert caught.value.fault.problem is FileProblem.MISSING


@pytest.mark.timeout(5)
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert fault(path).problem is FileProblem.UNREADABLE


@pytest.mark.timeout(10)
def test_a_giant_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with path.open("wb") as file:
        file.truncate(MAX_SIZE + 1)
    assert fault(path).problem is FileProblem.TOO_LARGE


def test_a_link_that_leads_to_itself_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "loop"
    path.symlink_to("loop")
    assert fault(path).problem is FileProblem.UNREADABLE


def test_a_path_is_shown_harmlessly(tmp_path: Path) -> None:
    found = fault(tmp_path / "a\x1b[31m\n.pem")
    assert found.path.endswith(r"a\x1b[31m\n.pem")


def test_an_encrypted_key_in_the_file_asks_nobody_for_a_password(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
    )

    locked = localhost().key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"pw")
    )
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM + locked)
    try:
        assert ROOT.der in loaded(path)
    except TrustFileError as error:
        assert error.fault.problem is FileProblem.NO_CERTIFICATE  # noqa: PT017


def test_unchanged_files_give_the_same_context(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM)
    assert known_context(used(path)) is None
    context = build_context(used(path))
    assert build_context(used(path)) is context
    assert known_context(used(path)) is context


def test_a_changed_file_gives_a_new_context(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM)
    before = build_context(used(path))
    other = issue("Another Root", (), None)
    path.write_bytes(other.pem)
    assert known_context(used(path)) is None
    after = build_context(used(path))
    assert after is not before
    assert after.get_ca_certs(binary_form=True) == [other.der]


def test_a_replaced_file_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path, new = tmp_path / "ca.pem", tmp_path / "new.pem"
    path.write_bytes(PEM + b"\n" * 500)
    build_context(used(path))
    old = path.stat()
    other = issue("Another Root", (), None).pem
    new.write_bytes(other + b"\n" * (old.st_size - len(other)))
    os.utime(new, ns=(old.st_atime_ns, old.st_mtime_ns))
    new.replace(path)
    assert path.stat().st_size == old.st_size
    assert known_context(used(path)) is None


def test_a_file_that_went_bad_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM)
    build_context(used(path))
    path.unlink()
    assert fault(path).problem is FileProblem.MISSING


def test_another_set_of_files_is_another_context(tmp_path: Path) -> None:
    one, two = tmp_path / "1.pem", tmp_path / "2.pem"
    one.write_bytes(PEM)
    two.write_bytes(STRANGERS.root.pem)
    build_context(used(one, two))
    assert build_context(used(one)).get_ca_certs(binary_form=True) == [ROOT.der]
