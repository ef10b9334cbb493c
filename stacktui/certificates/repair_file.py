"""The use case "put a file of certificates right": what is wrong, and the file as it was meant.

The command line and the dashboard share it. It blocks on disk, and needs `cryptography`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stacktui.certificates.errors import CertificateError
from stacktui.certificates.file_repair import (
    Defect,
    DefectKind,
    FileRepair,
    damage_in,
    pem_of_ders,
    repair_of,
)
from stacktui.certificates.files import (
    WHAT,
    CertificateFileError,
    FileProblem,
    entries,
    found_by_openssl,
    problem_of,
    read_content,
)
from stacktui.certificates.key_bundle import key_matches
from stacktui.config.atomic import PRIVATE, exclusive, write_atomically
from stacktui.config.backup import back_up, backup_of


class RepairError(CertificateError):
    """A file that cannot be put right; `str()` is one line, safe to show."""


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What a repair of `path` does. `before` is its content; `repair` is None for a good file.

    The file as it was stays beside it, at `backup`.
    """

    path: Path
    before: bytes
    repair: FileRepair | None

    @property
    def backup(self) -> Path:
        return backup_of(self.path)


def plan_repair(path: Path) -> RepairPlan:
    """Read the file. Raises CertificateError for one in which nothing can be put right."""
    content = read_content(path)
    repair = _leaf_first(content, repair_of(content))
    if repair is None and not any(each.der for each in entries(content)):
        problem = problem_of(content)
        if problem is FileProblem.DER:
            raise RepairError(f"{path} is binary, and holds no certificate that can be read")
        if problem is FileProblem.NO_CERTIFICATE:
            raise RepairError(f"{path} {WHAT[problem]}, and nothing to make one of")
        raise CertificateFileError(path, problem)
    _refuse_damaged(path, repair.content if repair else content)
    return RepairPlan(path, content, repair)


def _refuse_damaged(path: Path, content: bytes) -> None:
    """Raise RepairError where a certificate is lost, or OpenSSL would refuse the file for it."""
    line = damage_in(content)
    if line is not None:
        raise RepairError(
            f"{path} is damaged: the certificate at line {line} is cut off, or no base64; copy "
            "that one anew from where it came, or take it out"
        )
    # OpenSSL reads its own TRUSTED CERTIFICATE from files alone.
    is_own = b"BEGIN TRUSTED CERTIFICATE" in content
    if not is_own and not found_by_openssl(content, ()):
        raise RepairError(f"{path} is refused by OpenSSL, and it cannot be told why")


def carry_out_repair(plan: RepairPlan, target: Path | None = None) -> Path | None:
    """Write the repaired file to `target`, else in place; return the backup that was made.

    Atomically; the file keeps its mode and owner, as does its backup. Raises RepairError, and then
    the file is unchanged; also where it has changed since it was read.
    """
    if plan.repair is None:
        return None
    path = target or plan.path
    try:
        with exclusive(path):
            if read_content(plan.path) != plan.before:
                raise RepairError(f"{plan.path} has changed meanwhile; nothing was written")
            backup = back_up(path, plan.before) if target is None else None
            write_atomically(path, plan.repair.content, mode=PRIVATE)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RepairError(f"{path} cannot be written ({reason}); nothing was changed") from None
    return backup


def _leaf_first(content: bytes, repair: FileRepair | None) -> FileRepair | None:
    """Return a repair that also puts the certificate of the file's private key first.

    That is the one that az signs in with. `repair` is what is wrong besides. Only for a key that
    is not encrypted.
    """
    text = repair.content if repair else content
    if b"PRIVATE KEY-----" not in text:
        return repair
    found = list(entries(text))
    at = next((at for at, each in enumerate(found) if key_matches(text, each.der)), 0)
    if at == 0:
        return repair
    block = pem_of_ders([found[at].der])
    start = text.index(b"-----BEGIN", _start_of_line(text, found[at].line))
    end = text.index(b"-----END", start)
    end = text.index(b"-----", end + 5) + 5
    rest = text[:start] + text[end:].lstrip(b"\r\n")
    defects = (*(repair.defects if repair else ()), Defect(DefectKind.ORDER, found[at].line))
    return FileRepair(defects, block + rest)


def _start_of_line(text: bytes, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.index(b"\n", start) + 1
    return start
