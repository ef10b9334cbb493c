"""Export one bundle for programs that take only one: certifi's roots and what stacktui trusts.

With REQUESTS_CA_BUNDLE set to it, no other program's certifi need be writable, and upgrades do not
replace it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import certifi

from stacktui.certificates.bundle import (
    BundleError,
    annotated,
    may_be_trusted,
)
from stacktui.certificates.chain import describe
from stacktui.certificates.file_repair import read_certificates
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    entries,
    found_by_openssl,
    read_content,
)
from stacktui.certificates.trust import TrustSource
from stacktui.certificates.trust_target import ca_name, own_bundle_target
from stacktui.config.atomic import exclusive, write_atomically
from stacktui.config.backup import back_up
from stacktui.config.locations import exported_bundle
from stacktui.environments.model import Environment
from stacktui.text.shell import bash, powershell

# The variables that name a bundle to az and every other program that uses `requests`, in order.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# The first line of a bundle that we wrote, and may overwrite without asking.
_MARK = b"# Written by `stacktui certificates export`, which writes it anew each time.\n"
# The bundle holds nothing secret, and other users' programs may read it.
_MODE = 0o644


def sources_of(environments: Iterable[Environment]) -> list[TrustSource]:
    """Return the sources of a bundle: certifi, stacktui's own bundle, these environments' `ca`."""
    found = [TrustSource("certifi", certifi.where())]
    own = own_bundle_target()
    if os.path.exists(own.path):
        found.append(TrustSource(own.name, str(own.path)))
    return found + [
        TrustSource(ca_name(each.name), str(each.ca)) for each in environments if each.ca
    ]


@dataclass(frozen=True, slots=True)
class Part:
    """One file in a combined bundle, and how many certificates came from it alone."""

    source: TrustSource
    count: int


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written. `left_out` has a line for each certificate or file left out;
    `backup` is the copy of a previous file that was not ours."""

    path: Path
    parts: tuple[Part, ...]
    left_out: tuple[str, ...] = ()
    backup: Path | None = None

    @property
    def closed(self) -> Path | None:
        """The file or the folder above it that other users' programs may not read; None if none.

        Windows has no such modes.
        """
        if os.name == "nt":
            return None
        path = self.path.resolve()
        with suppress(OSError):  # it is gone, or in a folder that we may not enter ourselves
            if not path.stat().st_mode & stat.S_IROTH:
                return path
            folders = (each for each in path.parents if not each.stat().st_mode & stat.S_IXOTH)
            return next(folders, None)
        return None

    @property
    def count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def lines(self) -> dict[str, str]:
        """The command that puts it to use, by shell."""
        path = str(self.path)
        return {
            "bash": f"export REQUESTS_CA_BUNDLE={bash(path)}",
            "powershell": f"$env:REQUESTS_CA_BUNDLE = {powershell(path)}",
        }


def export(
    environments: Iterable[Environment], path: Path | None = None, *, overwrite: bool = False
) -> Exported:
    """Write one bundle of certifi, stacktui's own and the `ca` of these environments.

    Writes to `path`, else to the usual place, atomically. A file that is not ours is replaced only
    with `overwrite`, and backed up. Raises CertificateError, with nothing changed.
    """
    path = path or exported_bundle()
    sources = sources_of(environments)
    if not is_free(path, sources) and not overwrite:
        raise BundleError(f"{path} was not exported by stacktui: move it away")
    content, parts, left_out = _combined(sources)
    try:
        with exclusive(path):
            backup, old = None, None
            with suppress(CertificateFileError):
                old = read_content(path)
            if old is not None and not old.startswith(_MARK):
                backup = back_up(path, old)
            if old != content:
                write_atomically(path, content, mode=_MODE)
            return Exported(path, tuple(parts), tuple(left_out), backup)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BundleError(f"{path} cannot be written ({reason}); it is as it was") from None


def is_free(path: Path, sources: Sequence[TrustSource]) -> bool:
    """Whether `path` may be written without asking: there is no file, or one that we exported.

    Raises CertificateError if it is not a file, or is one of the bundle's `sources`.
    """
    for source in sources:
        if os.path.realpath(path) == os.path.realpath(source.path):
            raise BundleError(f"{path} is the {source.setting} itself; name another file")
    try:
        return read_content(path).startswith(_MARK)
    except CertificateFileError as error:
        if error.problem in (FileProblem.MISSING, FileProblem.TOO_LARGE):
            return error.problem is FileProblem.MISSING
        raise


def is_current(environment: Environment) -> bool:
    """Whether the bundle in the usual place holds all that is trusted for this environment."""
    now = datetime.now(UTC)
    try:
        held = set(read_certificates(exported_bundle()))
        found = [read_certificates(Path(each.path)) for each in sources_of([environment])[1:]]
    except CertificateFileError:
        return False
    return all(der in held or may_be_trusted(der, now) for each in found for der in each)


def exports_with(ders: Collection[bytes]) -> tuple[Path, ...]:
    """Return the exported bundles, in the usual place or in use, that hold one of these."""
    named = (os.environ.get(variable) for variable in VARIABLES)
    paths = dict.fromkeys([exported_bundle(), *(Path(each) for each in named if each)])
    found = []
    for path in paths:
        with suppress(CertificateFileError):
            content = read_content(path)
            if content.startswith(_MARK) and any(each.der in ders for each in entries(content)):
                found.append(path)
    return tuple(found)


def _combined(sources: Sequence[TrustSource]) -> tuple[bytes, list[Part], list[str]]:
    """Return the combined bundle, how many certificates came from each source, and what was left
    out, in lines.

    The first source is copied as it is; of the others, only what may be trusted as a root, each
    certificate once. Raises CertificateFileError if the first source cannot be read, and
    BundleError if OpenSSL would not read the result.
    """
    base, *others = sources
    content = read_content(Path(base.path))
    known = {each.der for each in entries(content) if each.der}
    parts, left_out, added = [Part(base, len(known))], [], []
    now = datetime.now(UTC)
    for source in others:
        count = 0
        try:
            found = read_certificates(Path(source.path))
        except CertificateFileError as error:
            left_out.append(f"{source.setting}: {error}")
            continue
        for der in found:
            if der in known:
                continue
            known.add(der)
            if (why := may_be_trusted(der, now)) is not None:
                left_out.append(f"{source.setting}: {_name(der)} {why}")
                continue
            added.append(der)
            count += 1
        parts.append(Part(source, count))
    whole = _MARK + content + b"".join(b"\n" + annotated(der) for der in added)
    if not found_by_openssl(whole, added):
        raise BundleError(f"{base.path}: OpenSSL cannot read it, so nothing can be made of it")
    return whole, parts, left_out


def _name(der: bytes) -> str:
    return describe(der).common_name
