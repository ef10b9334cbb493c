"""Files that should hold certificates, as users have them: read within bounds, and classified.

Light to import: what a certificate says is `chain`'s to read.
"""

from __future__ import annotations

import re
import ssl
from base64 import b64decode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stacktui.certificates.errors import CertificateError
from stacktui.config.bounded_read import FileReadError, read_bounded
from stacktui.errors import is_exhaustion

# No bundle of certificates is larger; certifi's has about 300 KiB.
MAX_SIZE = 16 * 1024 * 1024
# The files of all roots of common systems, for a Python whose OpenSSL was built for another path.
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # the same, Azure Linux
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, Alpine, the BSDs
    "/private/etc/ssl/cert.pem",  # macOS
)
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
# The second is an old name; the third is OpenSSL's own, with trust settings after the certificate.
_CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_BEGIN = re.compile(rb"-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----")
_BOM = b"\xef\xbb\xbf"
# What OpenSSL reads of a file at once (LINESIZE of its pem_lib.c): a line, or 254 bytes of it.
_PIECE = re.compile(rb"[^\n]{254}|[^\n]{0,253}\n|[^\n]+")
# Blanks and line breaks may stand anywhere in base64; nothing else may.
_BLANKS = re.compile(rb"\s+")


class FileProblem(StrEnum):
    """The problems of a file that should hold certificates."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    DER = "der"
    KEY_ONLY = "key-only"
    HTML = "html"
    TOO_LARGE = "too-large"
    NO_CERTIFICATE = "no-certificate"


WHAT = {
    FileProblem.MISSING: "is not there",
    FileProblem.UNREADABLE: "cannot be read",
    FileProblem.EMPTY: "is empty",
    FileProblem.DER: "is in DER form; PEM is needed",
    FileProblem.KEY_ONLY: "holds a private key but no certificate",
    FileProblem.HTML: "is an HTML page, probably a download that failed",
    FileProblem.TOO_LARGE: "is too large to be a bundle of certificates",
    FileProblem.NO_CERTIFICATE: "holds no usable PEM certificate",
}


class CertificateFileError(CertificateError):
    """A file of certificates that cannot be used; `str()` is one line, safe to show."""

    def __init__(self, path: Path | str, problem: FileProblem, detail: str = "") -> None:
        why = f" ({detail})" if detail else ""
        super().__init__(f"{path} {WHAT[problem]}{why}")
        self.path = str(path)
        self.problem = problem
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate of a file; `der` is empty where the base64 is damaged, `line` its first."""

    der: bytes
    line: int


def read_content(path: Path, limit: int = MAX_SIZE) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes. Blocks on disk, never for long.

    Raises CertificateFileError.
    """
    try:
        return read_bounded(path, limit)
    except FileReadError as error:
        # That a file is not there needs no more words.
        detail = "" if error.detail == "no such file" else error.detail
        raise CertificateFileError(path, FileProblem(error.problem), detail) from None


def entries(content: bytes) -> Iterator[Entry]:
    """Return the certificates of a file's content: every PEM block, else the whole as DER.

    Takes linear time for any content. An entry's DER may still be unreadable.
    """
    if is_der(content):  # first: a name in it may look like the beginning of a PEM block
        yield Entry(content, 1)
        return
    found = _BEGIN.search(content)
    line, counted = 1, 0
    while found is not None:
        line += content.count(b"\n", counted, found.start())
        counted = found.start()
        start = found.end()
        following = _BEGIN.search(content, start)
        limit = following.start() if following else len(content)
        end = content.find(b"-----END " + found[1] + b"-----", start, limit)
        yield Entry(_decoded(content[start:end]) if end >= 0 else b"", line)  # else it is cut off
        found = following


def problem_of(content: bytes) -> FileProblem:
    """Return what is wrong with content in which no certificate was found."""
    labels = set(_LABEL.findall(content))
    stripped = content.removeprefix(_BOM).lstrip()
    if not stripped:
        return FileProblem.EMPTY
    if content[:2] == b"\x30\x82":  # a DER SEQUENCE of 256 bytes or more (X.690 section 8.1.3)
        return FileProblem.DER
    if stripped[:1] == b"<":
        return FileProblem.HTML
    keys = any(label.endswith(b"PRIVATE KEY") for label in labels)
    if keys and not labels & set(_CERTIFICATE_LABELS):
        return FileProblem.KEY_ONLY
    return FileProblem.NO_CERTIFICATE


def is_pfx(content: bytes) -> bool:
    """Return whether this starts as a PFX does: a SEQUENCE whose first part is the INTEGER 3.

    The length of the SEQUENCE may be left open, as some old programs do (X.690 section 8.1.3.6).
    """
    if len(content) < 2 or content[0] != 0x30:
        return False
    header = 2 + (content[1] & 0x7F if content[1] & 0x80 else 0)
    return content[header : header + 3] == b"\x02\x01\x03"


def found_by_openssl(content: bytes, ders: Collection[bytes]) -> bool:
    """Return whether OpenSSL finds certificates in a file with this content."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python takes only ASCII here. Between certificates OpenSSL does not care what is written.
    read = _as_read_from_a_file(content).removeprefix(_BOM)
    text = read.decode("ascii", "replace").replace("\ufffd", "?")
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        if is_exhaustion(error):
            raise
        return False
    return set(ders) <= set(context.get_ca_certs(binary_form=True))


def _as_read_from_a_file(content: bytes) -> bytes:
    """Return what OpenSSL reads: each piece up to a NUL, and nothing after an empty one."""
    if b"\0" not in content:
        return content
    read = []
    for piece in _PIECE.findall(content):
        seen = piece.partition(b"\0")[0]
        if not seen:
            break
        read.append(seen if seen == piece else seen + b"\n")
    return b"".join(read)


def _decoded(text: bytes) -> bytes:
    der = base64_decoded(text)
    return der[: der_length(der)]  # what follows are the trust settings of a TRUSTED CERTIFICATE


def base64_decoded(text: bytes) -> bytes:
    """Return what base64 with blanks anywhere stands for; empty where it is none."""
    try:
        return b64decode(_BLANKS.sub(b"", text), validate=True)
    except ValueError:
        return b""


def is_der(content: bytes) -> bool:
    """Return whether this is a DER SEQUENCE that begins with another, as a certificate does.

    A PKCS #12 file starts with a SEQUENCE too, but its first part is an INTEGER.
    """
    length = der_length(content)
    if content[:1] != b"\x30" or not length or length != len(content):
        return False
    header = 2 if content[1] < 0x80 else 2 + (content[1] & 0x7F)
    return content[header : header + 1] == b"\x30"


def der_length(der: bytes) -> int:
    """Return the length in bytes of the DER value that `der` starts with, 0 if there is none."""
    if len(der) < 2:
        return 0
    first = der[1]
    if first < 0x80:
        return 2 + first
    size = first & 0x7F
    if not 0 < size <= 4:
        return 0
    return 2 + size + int.from_bytes(der[2 : 2 + size])
