"""Files of certificates as people make them, and the PEM file that was meant.

A root appended without a line break, a line of PowerShell 5 (UTF-16), a `.p7b` of AD CS, base64
without its frame: OpenSSL reads nothing of them, or not all, and does not say why. Light to import:
only a PKCS #7 needs `cryptography`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    base64_decoded,
    der_length,
    entries,
    is_der,
    is_pfx,
    problem_of,
    read_content,
)

# certutil -encode of what was PEM, and of that once more.
_MAX_NESTED = 2
# The lines around a block as programs and people write them.
_MARK = re.compile(
    rb"(?<!-)-{3,20}[ \t]{0,20}(BEGIN|END) ([A-Z0-9 ]{0,60}[A-Z0-9])[ \t]{0,20}-{3,20}"
)
# END and BEGIN on one line: the last five dashes of the first are its own.
_RUN_TOGETHER = re.compile(
    rb"(?<!-)(-{3,20}[ \t]{0,20}END [A-Z0-9 ]{1,60}-{5})(?=-{3,20}[ \t]{0,20}BEGIN )"
)
# Where those are parted; a byte that no PEM holds, and no line break, so that lines stay counted.
_PART = b"\x01"
_PKCS7 = (b"PKCS7", b"PKCS #7 SIGNED DATA", b"CMS")
# The OID of signed data (RFC 2315 section 14), which a .p7b begins with.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]+\Z")
_BOM = b"\xef\xbb\xbf"
# Headers of a key that OpenSSL encrypted in its old form; an empty line ends them (RFC 1421).
_HEADER = re.compile(rb"\s*[A-Za-z-]+:")
_LINE = 64


class DefectKind(StrEnum):
    """What people's tools do to a file of certificates."""

    JOINED = "joined"
    UTF_16 = "utf-16"
    DASHES = "dashes"
    BLANKS = "blanks"
    PKCS7 = "pkcs7"
    BASE64 = "base64"
    TWICE = "encoded-twice"
    DER = "der"
    ORDER = "order"


WORDS = {
    DefectKind.JOINED: "runs into what stands before it: a line break is missing",
    DefectKind.UTF_16: "is UTF-16 from here on, as PowerShell 5 writes with > and >>",
    DefectKind.DASHES: "has not five dashes on each side",
    DefectKind.BLANKS: "has blanks before it or empty lines in it",
    DefectKind.PKCS7: "is PKCS #7 (.p7b), in which programs find no certificate",
    DefectKind.BASE64: "is base64 without its BEGIN and END lines",
    DefectKind.TWICE: "was encoded twice, as by certutil -encode of a file that was PEM",
    DefectKind.DER: "is binary (DER); PEM is needed",
    DefectKind.ORDER: "is the certificate of the private key, and does not come first",
}


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect, and the line on which it is, from 1."""

    kind: DefectKind
    line: int

    def __str__(self) -> str:
        return f"line {self.line} {WORDS[self.kind]}"


@dataclass(frozen=True, slots=True)
class FileRepair:
    """The defects of a file, at least one, and the `content` that it should have."""

    defects: tuple[Defect, ...]
    content: bytes

    def __str__(self) -> str:
        more = f"; and {len(self.defects) - 2} more" if len(self.defects) > 2 else ""
        return "; ".join(str(each) for each in self.defects[:2]) + more


def repair_of(content: bytes) -> FileRepair | None:
    """Return what is wrong with the file, if that can be put right; None if nothing can or need be.

    What stands between the blocks stays as it is. Takes linear time for any content.
    """
    defects: list[Defect] = []
    repaired = _repaired(content, defects, _MAX_NESTED)
    if not defects:
        return None
    good = any(each.der for each in entries(repaired))
    return FileRepair(tuple(defects), repaired) if good else None


def read_certificates(path: Path) -> tuple[bytes, ...]:
    """Return the certificates (DER) of a file in any form, in its order; at least one.

    PEM, DER, PKCS #7, and what people make of them (`file_repair`). Damaged entries are left out.
    Raises CertificateFileError.
    """
    content = read_content(path)
    found = tuple(entry.der for entry in entries(content) if entry.der)
    if repair := repair_of(content):
        found = tuple(entry.der for entry in entries(repair.content) if entry.der)
    if not found:
        problem = problem_of(content)
        if problem is FileProblem.DER:  # binary, but no certificate
            problem = FileProblem.NO_CERTIFICATE
        raise CertificateFileError(path, problem)
    return found


def _repaired(content: bytes, defects: list[Defect], nested: int) -> bytes:
    if is_pfx(content):
        return content
    if is_der(content) or _is_pkcs7(content):
        defects.append(Defect(DefectKind.PKCS7 if _is_pkcs7(content) else DefectKind.DER, 1))
        return pem_of_ders(certificates_of(content))
    text = _without_utf_16(content, defects).removeprefix(_BOM)  # which OpenSSL passes over
    marks = list(_MARK.finditer(_RUN_TOGETHER.sub(rb"\1" + _PART, text)))
    if marks:
        return _repaired_blocks(marks, defects, nested)
    body = b"".join(text.split())
    der = base64_decoded(body) if _BASE64.match(body) else b""
    if not der:
        return text
    defects.append(Defect(DefectKind.BASE64, 1))
    return _repaired(der, [], nested - 1) if nested else text


def _without_utf_16(content: bytes, defects: list[Defect]) -> bytes:
    """Return the content in one byte a character: PEM is ASCII."""
    first = content.find(b"\0")
    # Each other byte of UTF-16 is a zero; a file that only holds some is binary.
    if first < 0 or content.count(b"\0", first) * 3 < len(content) - first:
        return content
    # Its first line may follow a line of the rest that is not ended.
    defects.append(Defect(DefectKind.UTF_16, content.count(b"\n", 0, first) + 1))
    return re.sub(rb"\xff\xfe|\xfe\xff", b"\n", content.replace(b"\0", b"")).lstrip(b"\n")


def _repaired_blocks(marks: Sequence[re.Match[bytes]], defects: list[Defect], nested: int) -> bytes:
    """Return the file with each block in the form that every reader takes."""
    text: bytes = marks[0].string
    parts, end, line, counted = [], 0, 1, 0
    for begin, close in pairwise(marks):
        if (begin[1], close[1]) != (b"BEGIN", b"END") or begin[2] != close[2]:
            continue  # cut off
        line += text.count(b"\n", counted, begin.start())
        counted = begin.start()
        before = text[end : begin.start()]
        kinds = []
        same_line = before.rpartition(b"\n")[2]
        if same_line.strip() or (end and b"\n" not in before):
            kinds.append(DefectKind.JOINED)
            before = before.removesuffix(_PART).rstrip(b" \t") + b"\n"
        elif same_line:
            kinds.append(DefectKind.BLANKS)
            before = before[: -len(same_line)]
        block, defect = _block(text[begin.start() : close.end()], begin, close, nested)
        kinds += [defect] if defect else []
        defects.extend(Defect(kind, line) for kind in dict.fromkeys(kinds))
        parts += [before, block]
        end = close.end()
    rest = text[end:].replace(_PART, b"")
    apart = b"\n" if rest and not rest.lstrip(b" \t\r").startswith(b"\n") else b""
    return b"".join((*parts, apart if parts else b"", rest))


def _block(
    whole: bytes, begin: re.Match[bytes], close: re.Match[bytes], nested: int
) -> tuple[bytes, DefectKind | None]:
    """Return a block as it should be, and what is wrong with it."""
    label, body = begin[2], begin.string[begin.end() : close.start()]
    frame = (b"-----BEGIN " + label + b"-----", b"-----END " + label + b"-----")
    headed = _HEADER.match(body) is not None
    is_certificate = label.endswith(b"CERTIFICATE")
    if is_certificate or label in _PKCS7:
        decoded = base64_decoded(body)
        if _is_pkcs7(decoded):
            return pem_of_ders(certificates_of(decoded)).rstrip(b"\n"), DefectKind.PKCS7
        if b"-----BEGIN" in decoded and nested:
            inner = _repaired(decoded, [], nested - 1)
            return inner.strip(), DefectKind.TWICE
        if not decoded:
            return whole, None  # damaged: what was meant is lost
    if (begin[0], close[0]) != frame:
        kind: DefectKind | None = DefectKind.DASHES
    else:
        odd = not headed and re.search(rb"\n[ \t]*\r?\n|\n[ \t]+", body)
        kind = DefectKind.BLANKS if odd or not body.startswith((b"\n", b"\r\n")) else None
    if kind is None:
        return whole, None
    packed = body if headed else b"\n" + _wrapped(b"".join(body.split()))
    return frame[0] + packed + frame[1], kind


def certificates_of(content: bytes) -> tuple[bytes, ...]:
    """Return the certificates (DER) of a binary file: one, or those of a PKCS #7. Never raises."""
    if not _is_pkcs7(content):
        return (content,)
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    with suppress(Exception):  # any file: cryptography raises many kinds
        loaded = pkcs7.load_der_pkcs7_certificates(content[: der_length(content)])
        return tuple(each.public_bytes(Encoding.DER) for each in loaded)
    return ()


def _is_pkcs7(content: bytes) -> bool:
    return content[:1] == b"\x30" and _SIGNED_DATA in content[:32]


def pem_of_ders(ders: Sequence[bytes]) -> bytes:
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in ders).encode("ascii")


def _wrapped(base64: bytes) -> bytes:
    lines = (base64[at : at + _LINE] for at in range(0, len(base64), _LINE))
    return b"".join(each + b"\n" for each in lines)
