"""Add a root to a certificate bundle, and remove it again byte for byte.

A root is appended in the annotated form that the vendor documents (PROTOCOL.md section 6). Only
what has this form counts as added by stacktui and can be removed.
Light to import: only adding needs `cryptography`.
"""

from __future__ import annotations

import re
import ssl
from base64 import b64decode
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.certificates.errors import CertificateError
from stacktui.certificates.file_repair import repair_of
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    entries,
    found_by_openssl,
    is_der,
    problem_of,
    read_content,
)
from stacktui.config.atomic import PRIVATE, exclusive, write_atomically
from stacktui.config.backup import back_up, backup_of
from stacktui.config.read_only import refuse_if_read_only
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.shell import command_line, for_this_machine

if TYPE_CHECKING:
    from cryptography import x509

# Where a Linux VM inside a stamp finds the stamp's root (PROTOCOL.md section 6).
WAAGENT = Path("/var/lib/waagent/Certificates.pem")
# The length at which comments are cut; no reader's line buffer is shorter.
MAX_COMMENT = 500
# The form that `annotated` writes, with the blank line before it. The fingerprints are compared
# with the certificate afterwards.
_BLOCK = re.compile(
    rb"\n# Issuer: [^\r\n]*\n# Subject: [^\r\n]*\n# Label: [^\r\n]*\n# Serial: -?[0-9a-f]+\n"
    rb"# MD5 Fingerprint: ([0-9a-f]{32})\n# SHA1 Fingerprint: ([0-9a-f]{40})\n"
    rb"# SHA256 Fingerprint: ([0-9a-f]{64})\n"
    rb"(-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/=]{1,64}\n)++)-----END CERTIFICATE-----\n)"
)
# Names of attributes as .NET writes them, in a subject and in the documented script.
_NET_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "S",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.42": "G",
    "2.5.4.43": "I",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "E",
}


class BundleError(CertificateError):
    """A bundle that cannot be changed as asked; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A planned change of one bundle. Certificates are DER.

    An `ours` file was made by stacktui: it has no backup, and is deleted when it becomes empty.
    An addition has `added`, and `present` for those that the bundle already holds. A removal has
    `removed`, and `present` for those that stacktui did not add, so that they stay. `before` is
    None if there is no file, `after` is None if the file is to be deleted.
    """

    path: Path
    ours: bool
    before: bytes | None
    after: bytes | None
    added: tuple[bytes, ...] = ()
    removed: tuple[bytes, ...] = ()
    present: tuple[bytes, ...] = ()

    @property
    def changes(self) -> bool:
        return self.before != self.after


def plan_addition(path: Path, ders: Sequence[bytes], *, ours: bool = False) -> Change:
    """Plan to append `ders` to the bundle at `path`, except those that it already holds.

    Idempotent by fingerprint. A file that is not `ours` must exist and hold PEM certificates.
    Raises BundleError for certificates that may not be trusted (see `may_be_trusted`) and for a
    bundle in which OpenSSL would not find the additions, CertificateFileError for other files.
    """
    before = _content(path, ours=ours)
    content = before or b""
    if (repair := repair_of(content)) is not None and not is_der(content):
        mend = command_line("stacktui certificates repair", [str(path)])
        raise BundleError(f"{path}, {repair}; put it right first: {for_this_machine(mend)}")
    held = _held(path, content, ours=ours)
    wanted = tuple(dict.fromkeys(ders))
    added = tuple(der for der in wanted if der not in held)
    now = datetime.now(UTC)
    for der in added:
        if (why := may_be_trusted(der, now)) is not None:
            raise BundleError(f"the certificate with SHA-256 {_sha256(der)} {why}")
    after = content + b"".join(b"\n" + annotated(der) for der in added)
    if added and not found_by_openssl(after, added):
        raise BundleError(
            f"{path}: what is in it keeps OpenSSL from reading what would follow; fix it first"
        )
    present = tuple(der for der in wanted if der in held)
    return Change(path, ours, before, after if added else before, added=added, present=present)


def plan_removal(path: Path, fingerprints: Collection[str], *, ours: bool = False) -> Change:
    """Plan to remove the additions with these SHA-256 fingerprints, upper or lower case.

    The rest stays byte for byte. Raises BundleError if stacktui added none of them,
    CertificateFileError if the file cannot be read.
    """
    wanted = {plain(each) for each in fingerprints}
    before = read_content(path)
    after, removed = _without(before, wanted)
    there = (each.der for each in entries(after) if each.der and _sha256(each.der) in wanted)
    present = tuple(dict.fromkeys(there))
    if not removed:
        which = f"SHA-256 {next(iter(wanted))}" if len(wanted) == 1 else "any of these certificates"
        if present:
            raise BundleError(f"{path} holds {which}, but stacktui did not add it there")
        raise BundleError(f"{path} does not hold {which}")
    left = None if ours and not after.strip() else after
    return Change(path, ours, before, left, removed=removed, present=present)


def carry_out(change: Change) -> Path | None:
    """Carry out a planned change atomically; return the backup's path if one was written.

    Holds a lock. If the file has changed since the planning, the change is planned again first.
    Raises as planning does, and BundleError if the file cannot be written; then it is unchanged.
    """
    try:
        with exclusive(change.path):
            return _carry_out(_as_of_now(change))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        text = f"{change.path} cannot be written ({reason}); it is as it was"
        if isinstance(error, PermissionError) and change.added and not change.ours:
            text += "; what needs no right to it: stacktui certificates export"
        raise BundleError(text) from None


def annotated(der: bytes) -> bytes:
    """Return a certificate in the documented form, in ASCII: comments, then PEM, lines end in LF.

    Names are sanitised, so that they can neither end a line nor begin a PEM block. Raises
    ValueError for a certificate that cannot be read.
    """
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(der)
    issuer, subject = _net_name(certificate.issuer), _net_name(certificate.subject)
    comments = {
        "Issuer": _comment(issuer),
        "Subject": _comment(subject),
        "Label": _comment(subject.rpartition("=")[2]),
        "Serial": _serial(certificate.serial_number),
        "MD5 Fingerprint": md5(der, usedforsecurity=False).hexdigest(),
        "SHA1 Fingerprint": sha1(der, usedforsecurity=False).hexdigest(),
        "SHA256 Fingerprint": _sha256(der),
    }
    lines = "".join(f"# {name}: {value}\n" for name, value in comments.items())
    return lines.encode("ascii") + ssl.DER_cert_to_PEM_cert(der).encode("ascii")


def additions_in(content: bytes) -> tuple[bytes, ...]:
    """Return the certificates that stacktui added to a file with this content, each once."""
    return tuple(dict.fromkeys(der for _, _, der in _blocks(content)))


def holds_only_additions(content: bytes) -> bool:
    """Whether a file with this content holds only what stacktui added."""
    rest, _ = _without(content, {_sha256(der) for der in additions_in(content)})
    return not rest.strip()


def may_be_trusted(der: bytes, now: datetime) -> str | None:
    """Return why this certificate may not be a trusted root, worded to follow its name, or None."""
    from stacktui.certificates.chain import describe

    found = describe(der)
    if found.unreadable:
        return f"cannot be read as a certificate ({found.unreadable})"
    if not found.is_ca:
        by = (
            "" if found.self_issued else f"; trust the root above it, issued by {found.issuer_name}"
        )
        return f"is no CA certificate but a leaf, which can be no root{by}"
    if found.key_usage is not None and "keyCertSign" not in found.key_usage:
        return "is no CA certificate: its key usage does not allow to sign certificates"
    if found.not_after is not None and found.not_after < now:
        return f"expired on {found.not_after:%Y-%m-%d}"
    return None


def plain(fingerprint: str) -> str:
    """Return a SHA-256 fingerprint in lower case without colons, as this module compares it."""
    return fingerprint.replace(":", "").lower()


def _sha256(der: bytes) -> str:
    return sha256(der).hexdigest()


def _content(path: Path, *, ours: bool) -> bytes | None:
    try:
        return read_content(path)
    except CertificateFileError as error:
        if ours and error.problem is FileProblem.MISSING:
            return None
        raise


def _held(path: Path, content: bytes, *, ours: bool) -> frozenset[bytes]:
    """Return the certificates of a bundle, if it can be appended to. Raises as `plan_addition`."""
    if ours and not content.strip():
        return frozenset()
    problem = problem_of(content)
    if problem is FileProblem.DER:  # entries would take it, but nothing can be appended to it
        raise CertificateFileError(path, problem)
    found = tuple(entries(content))
    if not any(each.der for each in found):
        raise CertificateFileError(path, problem)
    for each in found:
        if not each.der:
            raise BundleError(
                f"{path} holds a damaged certificate at line {each.line}, for which OpenSSL "
                "refuses the whole file; fix it first"
            )
    return frozenset(each.der for each in found)


def _blocks(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield start, end and certificate of each of our additions, with the blank line before it."""
    for found in _BLOCK.finditer(content):
        try:
            der = b64decode(found[5].replace(b"\n", b""), validate=True)
        except ValueError:
            continue
        ours = (
            found[1].decode() == md5(der, usedforsecurity=False).hexdigest()
            and found[2].decode() == sha1(der, usedforsecurity=False).hexdigest()
            and found[3].decode() == _sha256(der)
            and found[4] == ssl.DER_cert_to_PEM_cert(der).encode("ascii")
        )
        if ours:
            yield found.start(), found.end(), der


def _without(content: bytes, wanted: Collection[str]) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the content without our additions of these fingerprints, and what was removed."""
    kept, end, removed = [], 0, []
    for start, stop, der in _blocks(content):
        if _sha256(der) in wanted:
            kept.append(content[end:start])
            removed.append(der)
            end = stop
    return b"".join((*kept, content[end:])), tuple(dict.fromkeys(removed))


def _as_of_now(change: Change) -> Change:
    """Plan the change again while the lock is held: another run may have changed the file."""
    if change.removed:
        if read_content(change.path) == change.before:
            return change
        return plan_removal(change.path, [_sha256(der) for der in change.removed], ours=change.ours)
    if _content(change.path, ours=change.ours) == change.before:
        return change
    return plan_addition(change.path, change.added + change.present, ours=change.ours)


def _carry_out(change: Change) -> Path | None:
    if not change.changes:
        return None
    if change.after is None:
        refuse_if_read_only()
        change.path.resolve().unlink()
        return None
    backup = None
    # Only an untouched file is backed up, so that the backup is always the file as others made it.
    if not change.ours and change.before is not None and not additions_in(change.before):
        backup = back_up(change.path, change.before)
    try:
        write_atomically(change.path, change.after, mode=PRIVATE)
    except BaseException:
        if backup is not None:  # it would say that something was changed, and fill a full disk
            with suppress(OSError):
                backup.unlink()
        raise
    if not change.ours and change.removed:
        _drop_needless_backup(change.path, change.after)
    return backup


def _drop_needless_backup(path: Path, content: bytes) -> None:
    """Delete the backup once the file is equal to it again."""
    copy = backup_of(path)
    with suppress(OSError, CertificateFileError):
        if not copy.is_symlink() and read_content(copy) == content:
            copy.unlink()


def _net_name(name: x509.Name) -> str:
    """Return a name as .NET prints it: most specific part first, joined by comma and space."""
    parts = []
    for rdn in reversed(name.rdns):
        pairs = (
            f"{_NET_NAMES.get(each.oid.dotted_string, f'OID.{each.oid.dotted_string}')}"
            f"={_net_value(each.value)}"
            for each in rdn
        )
        parts.append(" + ".join(pairs))
    return ", ".join(parts)


def _net_value(value: str | bytes) -> str:
    text = value if isinstance(value, str) else value.hex()
    if text == text.strip() and not re.search(r'[,+="\n<>#;]', text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _comment(text: str) -> str:
    """Return `text` as a part of a comment that no reader takes for anything else.

    It is ASCII, as certifi's own `contents` requires, and has no two hyphens in a row, as some
    readers find PEM in the middle of a line (OpenSSL does beyond 254 characters).
    """
    ascii_ = escape_control_chars(text[:MAX_COMMENT]).encode("ascii", "backslashreplace").decode()
    return re.sub("-{3,}", lambda hyphens: " ".join(hyphens[0]), ascii_[:MAX_COMMENT])


def _serial(number: int) -> str:
    """Return hexadecimal in whole bytes, as OpenSSL prints it, in lower case."""
    digits = f"{abs(number):x}"
    sign = "-" if number < 0 else ""
    return f"{sign}{digits.zfill(len(digits) + len(digits) % 2)}"
