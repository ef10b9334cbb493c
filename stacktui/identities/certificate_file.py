"""The certificate files that identities sign in with, for display. Light to import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.identities.model import CertificateRef, Identity

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate


@dataclass(frozen=True, slots=True)
class IdentityFile:
    """The file of one identity; the certificate that signs in comes first.

    `problem` says in one line why it cannot sign in, `word` the same in short; both are empty if it
    can. `remedy` says what to do.
    """

    identity: str
    path: Path
    read: datetime
    chain: tuple[Certificate, ...] = ()
    word: str = ""
    problem: str = ""
    remedy: str = ""


def references(identities: Iterable[Identity]) -> dict[str, CertificateRef]:
    """Return the identities that sign in with a certificate."""
    return {
        each.name: each.credential
        for each in identities
        if isinstance(each.credential, CertificateRef)
    }


def read_files(references: dict[str, CertificateRef], now: datetime) -> dict[str, IdentityFile]:
    """Read all these files. Blocks on disk and on importing `cryptography`. Never raises."""
    return {name: _read(name, each, now) for name, each in references.items()}


def _read(name: str, reference: CertificateRef, now: datetime) -> IdentityFile:
    from stacktui.identities.credential import load_certificate
    from stacktui.identities.faults import CertificateFault, CertificateProblem, IdentityError
    from stacktui.identities.secrets import resolve_secret

    word = problem = remedy = ""
    password = None
    try:
        # The same message as a check's.
        if reference.password is not None:
            password = resolve_secret(reference.password)
        load_certificate(reference, now, password)
    except IdentityError as error:
        fault = error.fault
        word, problem = "no password", str(fault)
        if isinstance(fault, CertificateFault):
            word, problem = fault.problem.value.replace("-", " "), fault.detail
            if fault.problem is CertificateProblem.PFX:  # encrypted
                word = "no password"
                remedy = "name its certificate_password, or: stacktui certificates convert"
            elif fault.problem is CertificateProblem.MALFORMED:
                remedy = "have it written anew: stacktui certificates repair"
            elif fault.problem in (CertificateProblem.EXPIRED, CertificateProblem.KEY_MISMATCH):
                remedy = "put a new certificate with its key there, and register it"
    chain = _chain(reference.path, password)
    return IdentityFile(name, reference.path, now, chain, word, problem, remedy)


def _chain(path: Path, password: str | None) -> tuple[Certificate, ...]:
    """Return the certificates of the file as far as they can be read."""
    from stacktui.certificates.chain import describe
    from stacktui.certificates.errors import CertificateError
    from stacktui.certificates.key_bundle import own_chain, read_key_bundle

    try:
        bundle = read_key_bundle(path, lambda form: password)
    except CertificateError:
        return ()
    return tuple(describe(der) for der in own_chain(bundle))
