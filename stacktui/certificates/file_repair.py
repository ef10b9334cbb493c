"""Files of certificates as people make them, and the PEM file that was meant.

A root appended without a line break, a line of PowerShell 5 (UTF-16), a `.p7b` of AD CS, base64
without its frame: OpenSSL reads nothing of them, or not all, and does not say why. Light to import:
only a PKCS #7 needs `cryptography`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
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
    rb"(?<!-)-{3,20}[ \t]{0,20}(BEGIN|END) ([A-Z0-9# ]{0,60}[A-Z0-9])[ \t]{0,20}-{3,20}"
)
# The dashes and the blank that a word processor or a web page makes of those: Unicode's in UTF-8,
# and Windows-1252's.
_TYPESET = re.compile(rb"\xe2\x80[\x90-\x95]|\xe2\x88\x92|\xc2\xa0|[\x96\x97\xa0]")
_TYPESET_BLANK = re.compile(rb"\xc2?\xa0")
_DASHES = re.compile(rb"(?:-|\xe2\x80[\x90-\x95]|\xe2\x88\x92|[\x96\x97])+")
# END and BEGIN on one line: the last five dashes of the first are its own.
_RUN_TOGETHER = re.compile(
    rb"(?<!-)(-{3,20}[ \t]{0,20}END [A-Z0-9 ]{1,60}-{5})(?=-{3,20}[ \t]{0,20}BEGIN )"
)
# Where those are parted; bytes that no file holds, and no line break, so that lines stay counted.
_PART = b"\x01\x02\x03\x01"
_PKCS7 = (b"PKCS7", b"PKCS #7 SIGNED DATA", b"CMS")
# The OID of signed data (RFC 2315 section 14), which a .p7b begins with.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]+\Z")
_BOM = b"\xef\xbb\xbf"
# Headers of a key that OpenSSL encrypted in its old form; an empty line ends them (RFC 1421).
_HEADER = re.compile(rb"\s*[A-Za-z-]+:")
_LINE = 64
# No certificate in DER has fewer bytes: a key and a signature alone have more.
_SMALLEST = 64
# Line breaks as JSON and environment variables write them.
_ESCAPED = re.compile(rb"(?:\\r)?\\n")
# Where bare base64 of several certificates is parted: only the end of one can be `=`.
_PADDED = re.compile(rb"(?<==)\s+(?=[A-Za-z0-9+/])")


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
    UNFRAMED = "unframed"
    ESCAPED = "escaped"


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
    DefectKind.UNFRAMED: "is a certificate that lacks its BEGIN or its END line",
    DefectKind.ESCAPED: "has \\n in place of line breaks, as JSON and variables have",
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


def damage_in(content: bytes) -> int | None:
    """Return the line of the first certificate of a PEM file that is cut off or damaged, if any."""
    lines = [each.line for each in entries(content) if not each.der]
    before = b"END"
    for mark in _MARK.finditer(content):
        if mark[1] == b"END" == before and mark[2].endswith(b"CERTIFICATE"):
            lines.append(content.count(b"\n", 0, mark.start()) + 1)
            break
        before = mark[1]
    return min(lines, default=None)


def _repaired(content: bytes, defects: list[Defect], nested: int) -> bytes:
    if is_pfx(content):
        return content
    values, rest = _leading_ders(content)
    if values:
        is_pkcs7 = any(map(_is_pkcs7, values))
        defects.append(Defect(DefectKind.PKCS7 if is_pkcs7 else DefectKind.DER, 1))
        pem = pem_of_ders([der for each in values for der in certificates_of(each)])
        return pem + (_repaired(rest, [], nested - 1) if rest and nested else rest)
    text = _without_utf_16(content, defects).removeprefix(_BOM)  # which OpenSSL passes over
    text = _without_typesetting(text)
    marks = list(_MARK.finditer(_RUN_TOGETHER.sub(rb"\1" + _PART, text)))
    if marks:
        return _repaired_blocks(marks, defects, nested)
    body = b"".join(text.split())
    parts = _PADDED.split(text.strip()) if _BASE64.match(body) else []
    decoded = [base64_decoded(each) for each in parts]
    if not decoded or not all(decoded):
        return text
    defects.append(Defect(DefectKind.BASE64, 1))
    return _repaired(b"".join(decoded), [], nested - 1) if nested else text


def _leading_ders(content: bytes) -> tuple[list[bytes], bytes]:
    """Return the certificates and PKCS #7 (DER) that a binary file begins with, and the rest."""
    found, at = [], 0
    while content[at : at + 1] == b"\x30":
        length = der_length(content[at : at + 6])
        value = content[at : at + length]
        is_known = is_der(value) or _is_pkcs7(value)
        if not is_known or len(value) != length or length < _SMALLEST:
            break
        found.append(value)
        at += length
        while content[at : at + 1] in (b"\r", b"\n"):
            at += 1
    return found, content[at:]


def _without_typesetting(text: bytes) -> bytes:
    """Return the text with dashes, though not five, in its BEGIN and END lines."""
    if not _TYPESET.search(text):
        return text
    lines = text.split(b"\n")
    for at, line in enumerate(lines):
        if (b"BEGIN" in line or b"END" in line) and not _MARK.search(line):
            plain = _TYPESET_BLANK.sub(b" ", _DASHES.sub(b"------", line))
            lines[at] = plain if _MARK.search(plain) else line
    return b"\n".join(lines)


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
    parts: list[bytes] = []
    end, line, counted = 0, 1, 0
    for start, stop, block, defect in _blocks(marks, nested):
        line += text.count(b"\n", counted, start)
        counted = start
        before, kinds = _before(text[end:start], after_block=bool(parts))
        kinds += [defect] if defect else []
        defects.extend(Defect(kind, line) for kind in dict.fromkeys(kinds))
        parts += [before, block]
        end = stop
    rest = text[end:].replace(_PART, b"")
    if not parts:
        return rest
    same_line, break_, below = rest.partition(b"\n")
    if is_der(binary := rest.strip(b"\r\n")):
        defects.append(Defect(DefectKind.DER, line + text.count(b"\n", counted, end) + 1))
        same_line, break_, below = b"", b"\n", pem_of_ders([binary])
    elif same_line.strip() and not _ESCAPED.match(same_line):
        defects.append(Defect(DefectKind.JOINED, line + text.count(b"\n", counted, end)))
    apart = b"\n" if same_line.strip() else b""
    return b"".join((*parts, apart, same_line, break_, below))


def _before(text: bytes, *, after_block: bool) -> tuple[bytes, list[DefectKind]]:
    """Return what stands before a block so that it begins a line, and what was wrong with it."""
    first, break_, below = text.partition(b"\n")
    if after_block and first.strip(b" \t\r" + _PART) and break_:
        text = b"\n" + text  # the line that ends the block before goes on
        return _before(text, after_block=True)[0], [DefectKind.JOINED]
    same_line = (below if break_ else first).rpartition(b"\n")[2]
    if after_block and _ESCAPED.fullmatch(text):
        return b"\n", []
    if same_line.strip() or (after_block and not break_):
        return text.removesuffix(_PART).rstrip(b" \t") + b"\n", [DefectKind.JOINED]
    if same_line:
        return text[: -len(same_line)], [DefectKind.BLANKS]
    return text, []


def _blocks(
    marks: Sequence[re.Match[bytes]], nested: int
) -> Iterator[tuple[int, int, bytes, DefectKind | None]]:
    """Yield each block that can be read: its start, its stop, what it should be, its defect.

    A certificate that lacks one of its two lines is whole if its base64 is a DER value.
    """
    text: bytes = marks[0].string
    for at, mark in enumerate(marks):
        before = marks[at - 1] if at else None
        after = marks[at + 1] if at + 1 < len(marks) else None
        is_certificate = mark[2].endswith(b"CERTIFICATE")
        if mark[1] == b"BEGIN":
            if after is not None and after[1] == b"END":
                if after[2] == mark[2]:
                    whole = text[mark.start() : after.end()]
                    yield mark.start(), after.end(), *_block(whole, mark, after, nested)
                continue
            start, body = mark.start(), text[mark.end() : after.start() if after else None].rstrip()
            stop = mark.end() + len(body)
        elif before is None or before[1] == b"END":
            body = _last_base64(text[before.end() if before else 0 : mark.start()])
            start, stop = mark.start() - len(body), mark.end()
        else:
            continue
        if is_certificate and is_der(der := base64_decoded(body)):
            yield start, stop, pem_of_ders([der]).rstrip(b"\n"), DefectKind.UNFRAMED


def _last_base64(text: bytes) -> bytes:
    """Return the lines of base64 that the text ends with."""
    lines = text.splitlines(keepends=True)
    at = len(lines)
    while at and _BASE64.match(lines[at - 1].strip()):
        at -= 1
    return b"".join(lines[at:])


def _block(
    whole: bytes, begin: re.Match[bytes], close: re.Match[bytes], nested: int
) -> tuple[bytes, DefectKind | None]:
    """Return a block as it should be, and what is wrong with it."""
    label, body = begin[2], begin.string[begin.end() : close.start()]
    frame = (b"-----BEGIN " + label + b"-----", b"-----END " + label + b"-----")
    headed = _HEADER.match(body) is not None
    escaped = not headed and _ESCAPED.search(body) is not None
    if escaped:
        body = _ESCAPED.sub(b"\n", body)
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
    elif escaped:
        kind = DefectKind.ESCAPED
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
