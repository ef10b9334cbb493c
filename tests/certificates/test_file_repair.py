"""Files of certificates as people make them: what is named, and what OpenSSL reads afterwards."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from stacktui.certificates.file_repair import DefectKind, repair_of
from stacktui.certificates.files import entries, found_by_openssl
from stacktui.certificates.repair_file import RepairError, plan_repair
from tests.support.authority import authority

ONE, TWO = authority().root, authority("Strangers").root
KEY = ONE.key_pem


def utf_16(pem: bytes, bom: bytes = b"") -> bytes:
    return bom + pem.decode().replace("\n", "\r\n").encode("utf-16-le")


def p7b(encoding: Encoding) -> bytes:
    return pkcs7.serialize_certificates([ONE.certificate, TWO.certificate], encoding)


def lines(pem: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return b"\n".join(map(change, pem.split(b"\n")))


LINES = ONE.pem.count(b"\n")
END = b"-----END CERTIFICATE-----\n"
BARE = b64encode(ONE.der)
# What a file holds, its defects by kind and line, and which certificates were meant.
FILES = {
    "joined": (ONE.pem.strip() + TWO.pem, [("joined", LINES)], 2),
    "joined thrice": (
        ONE.pem.strip() + TWO.pem.strip() + ONE.pem,
        [("joined", LINES), ("joined", LINES + TWO.pem.count(b"\n") - 1)], 2,
    ),
    "on one line": (ONE.pem.strip() + b" " + TWO.pem, [("joined", LINES)], 2),
    "after a comment": (b"# root of the stamp" + ONE.pem, [("joined", 1)], 1),
    "utf-16": (utf_16(ONE.pem, b"\xff\xfe"), [("utf-16", 1)], 1),
    "utf-16 without a mark": (utf_16(ONE.pem), [("utf-16", 1)], 1),
    "utf-16 tail": (ONE.pem + utf_16(TWO.pem), [("utf-16", LINES + 1)], 2),
    "utf-16 tail with a mark": (ONE.pem + utf_16(TWO.pem, b"\xff\xfe"), [("utf-16", LINES + 1)], 2),
    "six dashes": (ONE.pem.replace(b"-----", b"------"), [("dashes", 1)], 1),
    "indented": (lines(ONE.pem, lambda each: b"  " + each), [("blanks", 1)], 1),
    "empty lines": (ONE.pem.replace(b"\n", b"\n\n"), [("blanks", 1)], 1),
    "p7b": (p7b(Encoding.DER), [("pkcs7", 1)], 2),
    "p7b as PEM": (p7b(Encoding.PEM), [("pkcs7", 1)], 2),
    "p7b by certutil": (
        p7b(Encoding.PEM).replace(b" PKCS7", b" CERTIFICATE"), [("pkcs7", 1)], 2
    ),
    "base64": (BARE, [("base64", 1)], 1),
    "base64 in lines": (ONE.pem.split(b"-----")[2], [("base64", 1)], 1),
    "base64 of a p7b": (b64encode(p7b(Encoding.DER)), [("base64", 1)], 2),
    "encoded twice": (
        b"-----BEGIN CERTIFICATE-----\n" + b64encode(ONE.pem + TWO.pem)
        + b"\n-----END CERTIFICATE-----\n", [("encoded-twice", 1)], 2,
    ),
    "der": (ONE.der, [("der", 1)], 1),
    "several ders": (ONE.der + b"\r\n" + TWO.der + b"\n", [("der", 1)], 2),
    "der before pem": (ONE.der + TWO.pem, [("der", 1)], 2),
    "der after pem": (ONE.pem + TWO.der, [("der", LINES + 1)], 2),
    "base64 of two": (BARE + b"\n\n" + b64encode(TWO.der), [("base64", 1)], 2),
    "p7b by openssl 0.9": (
        p7b(Encoding.PEM).replace(b"PKCS7", b"PKCS #7 SIGNED DATA"), [("pkcs7", 1)], 2
    ),
    "no end": (ONE.pem.replace(END, b"") + TWO.pem, [("unframed", 1)], 2),
    "no end at the end": (ONE.pem + TWO.pem.replace(END, b""), [("unframed", LINES + 1)], 2),
    "no begin": (ONE.pem + TWO.pem.partition(b"\n")[2], [("unframed", LINES + 1)], 2),
    "words after the end": (ONE.pem.strip() + b" # east\n" + TWO.pem, [("joined", LINES + 1)], 2),
    "words after the last end": (ONE.pem.strip() + b" # east\n", [("joined", LINES)], 1),
    "dashes of a word processor": (
        ONE.pem.replace(b"-----", "\u2014\u2013-".encode()), [("dashes", 1)], 1
    ),
    "dashes of Windows-1252": (ONE.pem.replace(b"-----", b"\x96\x97"), [("dashes", 1)], 1),
    "a blank that does not break": (
        ONE.pem.replace(b"BEGIN ", "BEGIN\xa0".encode()), [("dashes", 1)], 1
    ),
    "line breaks of a variable": (
        (ONE.pem + TWO.pem).replace(b"\n", b"\\n"), [("escaped", 1), ("escaped", 1)], 2
    ),
    "with its key": (ONE.pem.strip() + KEY, [("joined", LINES)], 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named_and_mended(name: str, tmp_path: Path) -> None:
    content, defects, meant = FILES[name]
    found = repair_of(content)
    assert found is not None
    assert [(each.kind.value, each.line) for each in found.defects] == defects
    path = tmp_path / "mended.pem"
    path.write_bytes(found.content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    loaded = context.get_ca_certs(binary_form=True)
    assert {each.der for each in (ONE, TWO)[:meant]} == set(loaded)
    assert (KEY.strip() in found.content) == (name == "with its key")
    assert repair_of(found.content) is None
    assert not found_by_openssl(content, [each.der for each in (ONE, TWO)[:meant]])


GOOD = {
    "one": ONE.pem,
    "two": ONE.pem + TWO.pem,
    "crlf": ONE.pem.replace(b"\n", b"\r\n"),
    "comments": b"# comment\n\n" + ONE.pem + b"\n\n# two\n" + TWO.pem + KEY,
    "unended": ONE.pem.rstrip(b"\n"),
    "empty": b"",
    "page": b"<html>-----BEGIN NOTHING</html>",
    "key": KEY,
    "cut": ONE.pem[: len(ONE.pem) // 2],
    "no certificate": b"MIIB",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_in_order_or_lost_is_left_alone(name: str) -> None:
    assert repair_of(GOOD[name]) is None


END_OF_TWO = LINES + TWO.pem.count(b"\n")
# Files that hold a certificate, but not all that they were meant to: the line of what is lost.
DAMAGED = {
    "cut": (ONE.pem + TWO.pem[: len(TWO.pem) // 2], LINES + 1),
    "cut at its beginning": (ONE.pem + b"\n".join(TWO.pem.split(b"\n")[4:]), END_OF_TWO - 4),
    "no base64": (ONE.pem.replace(b"M", b"@", 1) + TWO.pem, 1),
    "headers": (ONE.pem + TWO.pem.replace(b"-\nM", b"-\nProc-Type: 4\n\nM"), LINES + 1),
    "joined and cut": (ONE.pem.strip() + TWO.pem + ONE.pem[:99], END_OF_TWO + 1),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_lost_is_said_and_no_file_with_it_is_in_order(name: str, tmp_path: Path) -> None:
    content, line = DAMAGED[name]
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    with pytest.raises(RepairError, match=f"certificate at line {line} is cut off"):
        plan_repair(path)


def test_what_stands_between_the_blocks_stays() -> None:
    content = b"# first\n" + ONE.pem.strip() + TWO.pem + b"# last\n"
    found = repair_of(content)
    assert found is not None
    assert found.content == b"# first\n" + ONE.pem + TWO.pem + b"# last\n"
    assert str(found).startswith(f"line {LINES + 1} runs into what stands before it")


PARTS = st.sampled_from(
    [ONE.pem, TWO.pem.strip(), utf_16(ONE.pem), b"-----BEGIN CERTIFICATE-----", b"-----END ",
     b"CERTIFICATE-----", b"\n", b" ", b"\0", b"\xff\xfe", BARE, KEY, p7b(Encoding.PEM)]
)  # fmt: skip


@given(st.lists(PARTS | st.binary(max_size=20), max_size=8))
def test_any_file_is_judged(parts: list[bytes]) -> None:
    content = b"".join(parts)
    found = repair_of(content)
    if found is not None:
        assert all(each.kind in DefectKind and each.line >= 1 for each in found.defects)
        assert any(each.der for each in entries(found.content))
