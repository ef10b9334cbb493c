"""The use case "a file as an environment's `ca`": what it holds, and PEM made of other forms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stacktui.certificates.bundle import carry_out, plan_addition
from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.chain_completion import certificates_in
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    entries,
    found_by_openssl,
    problem_of,
    read_content,
)
from stacktui.certificates.trust_root import choose_roots
from stacktui.certificates.trust_target import ca_target
from stacktui.environments.model import Environment
from stacktui.text.counts import count_of


@dataclass(frozen=True, slots=True)
class CaFile:
    """A file that an environment may name as its `ca`.

    `converted` are the roots (DER) to write as PEM in place of a file that OpenSSL cannot read as
    it is (DER, PKCS#7); empty for a file that it can. `text` says in a few words what is in it.
    """

    path: Path
    text: str
    converted: tuple[bytes, ...] = ()


def read_ca_file(path: Path) -> CaFile:
    """Read a PEM, DER or PKCS#7 file, or a folder of certificates.

    Raises CertificateError for one that holds no certificate, or no root in a form to convert.
    """
    if path.is_dir():
        return CaFile(path, "a folder of certificates")
    content = read_content(path)
    ders = tuple(each.der for each in entries(content) if each.der)
    if ders and found_by_openssl(content, ()):
        return CaFile(path, _text(ders))
    ders = tuple(certificates_in(content))
    if not ders:
        problem = problem_of(content)
        known = problem is not FileProblem.DER  # binary, but no certificate
        raise CertificateFileError(path, problem if known else FileProblem.NO_CERTIFICATE)
    roots = choose_roots(ders, str(path)).ders
    return CaFile(path, f"{_text(roots)}; saved as PEM", roots)


def import_ca_file(found: CaFile, config: Path, environment: Environment) -> str:
    """Write a converted file as PEM below the config's folder; return the value of `ca`.

    `environment` has no `ca` yet. Raises CertificateError.
    """
    if not found.converted:
        return str(found.path)
    target = ca_target(config, {environment.name: environment}, environment.name, found.converted)
    write_converted(found, target.path)
    return target.new_ca


def write_converted(found: CaFile, path: Path) -> None:
    """Write the roots of a converted file to a bundle of our own. Raises CertificateError."""
    carry_out(plan_addition(path, found.converted, ours=True))


def _text(ders: tuple[bytes, ...]) -> str:
    """Return `root CN, until DATE`, with the number of certificates where there are several."""
    # Of a large bundle the first ones are enough.
    found = [describe(der) for der in ders[:100]]
    roots = [each for each in found if each.self_issued]
    text = _named(roots[0], "root") if roots else f"no root, but {_named(found[0], 'certificate')}"
    return text if len(ders) == 1 else f"{count_of(len(ders), 'certificate')}, {text}"


def _named(certificate: Certificate, kind: str) -> str:
    end = f", until {certificate.not_after:%Y-%m-%d}" if certificate.not_after else ""
    return f"{kind} {certificate.common_name or certificate.subject}{end}"
