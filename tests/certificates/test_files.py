"""Files that should hold certificates, in every odd form that users have them in."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.certificates.file_repair import read_certificates
from stacktui.certificates.files import (
    MAX_SIZE,
    CertificateFileError,
    FileProblem,
    entries,
)
from tests.support.authority import authority, issue, localhost

ROOT = authority().root
LEAF = localhost()
# Reading a file is never what a user waits for.
AT_ONCE = 2.0

GOOD = {
    "pem": (ROOT.pem, [ROOT.der]),
    "der": (ROOT.der, [ROOT.der]),
    "two": (ROOT.pem + LEAF.pem, [ROOT.der, LEAF.der]),
    "crlf": (ROOT.pem.replace(b"\n", b"\r\n"), [ROOT.der]),
    "bom": (b"\xef\xbb\xbf" + ROOT.pem, [ROOT.der]),
    "no line break at the end": (ROOT.pem.rstrip(), [ROOT.der]),
    "comments with escape sequences": (b"# \x1b]0;x\x07\x1b[2J\n" + ROOT.pem, [ROOT.der]),
    "key and certificate": (LEAF.key_pem + LEAF.pem, [LEAF.der]),
    "old label": (ROOT.pem.replace(b"CERTIFICATE", b"X509 CERTIFICATE"), [ROOT.der]),
    "a damaged one before": (LEAF.pem.replace(b"M", b"*") + ROOT.pem, [ROOT.der]),
    "one cut off before": (LEAF.pem[:200] + b"\n" + ROOT.pem, [ROOT.der]),
    "200": (ROOT.pem * 200, [ROOT.der] * 200),
}

BAD = {
    "empty": (b"", FileProblem.EMPTY),
    "blank": (b" \r\n", FileProblem.EMPTY),
    "html": (b"<!DOCTYPE html><p>Not found", FileProblem.HTML),
    "key only": (LEAF.key_pem, FileProblem.KEY_ONLY),
    "text": (b"hello", FileProblem.NO_CERTIFICATE),
    "binary": (b"\x30\x82\xff\xff" + bytes(70_000), FileProblem.NO_CERTIFICATE),
    "cut off": (ROOT.pem[:300], FileProblem.NO_CERTIFICATE),
    "damaged": (ROOT.pem.replace(b"M", b"*"), FileProblem.NO_CERTIFICATE),
}


@pytest.mark.parametrize(("content", "expected"), GOOD.values(), ids=GOOD)
def test_certificates_are_found(content: bytes, expected: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "file.pem"
    path.write_bytes(content)
    assert list(read_certificates(path)) == expected


@pytest.mark.parametrize(("content", "problem"), BAD.values(), ids=BAD)
def test_what_is_none_is_reported(content: bytes, problem: FileProblem, tmp_path: Path) -> None:
    path = tmp_path / "file\x1b[31m.pem"
    path.write_bytes(content)
    with pytest.raises(CertificateFileError) as caught:
        read_certificates(path)
    assert caught.value.problem is problem
    assert str(caught.value).isprintable()


def test_openssl_s_own_form_is_read_without_its_settings(tmp_path: Path) -> None:
    """`openssl x509 -trustout` puts trust settings behind the certificate."""
    import subprocess

    pem, trusted = tmp_path / "root.pem", tmp_path / "trusted.pem"
    pem.write_bytes(ROOT.pem)
    command = ["openssl", "x509", "-in", pem, "-trustout", "-addtrust", "serverAuth"]
    subprocess.run([*command, "-out", trusted], check=True)
    assert b"TRUSTED CERTIFICATE" in trusted.read_bytes()
    assert read_certificates(trusted) == (ROOT.der,)


def test_things_that_are_no_files(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    cases = {
        tmp_path: FileProblem.UNREADABLE,
        fifo: FileProblem.UNREADABLE,
        Path("/dev/zero"): FileProblem.UNREADABLE,
        huge: FileProblem.TOO_LARGE,
        tmp_path / "none": FileProblem.MISSING,
        Path("nul\0"): FileProblem.MISSING,
        Path("x" * 5000): FileProblem.UNREADABLE,
    }
    for path, problem in cases.items():
        started = time.perf_counter()
        with pytest.raises(CertificateFileError) as caught:
            read_certificates(path)
        assert caught.value.problem is problem, path
        assert time.perf_counter() - started < AT_ONCE
    with pytest.raises(CertificateFileError):
        read_certificates(loop)


@pytest.mark.parametrize(
    "part",
    [b"-----BEGIN CERTIFICATE-----", b"-----BEGIN CERTIFICATE-----\n" * 2 + b"-----END X", b"-"],
)
def test_content_made_to_be_slow_is_read_in_linear_time(part: bytes) -> None:
    content = part * (MAX_SIZE // len(part))
    started = time.perf_counter()
    assert not any(entry.der for entry in entries(content))
    # Quadratic time would be hours.
    assert time.perf_counter() - started < 20


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_give_entries(noise: bytes, at: int) -> None:
    pem = ROOT.pem
    for entry in entries(noise):
        assert entry.line >= 1
    content = pem[:at] + noise + pem[at:]
    assert all(isinstance(entry.der, bytes) for entry in entries(content))
    around = [entry.der for entry in entries(b"x\n" + pem + b"\n" + noise)]
    assert around[0] == ROOT.der


def test_a_der_whose_name_looks_like_pem_is_der(tmp_path: Path) -> None:
    odd = issue("-----BEGIN CERTIFICATE-----", (), None)
    path = tmp_path / "odd.der"
    path.write_bytes(odd.der)
    assert read_certificates(path) == (odd.der,)
