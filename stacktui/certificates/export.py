"""One bundle for programs that know of one only: certifi's roots and what stacktui trusts besides.

Named by REQUESTS_CA_BUNDLE it needs no rights to anybody's certifi, and no upgrade touches it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stacktui.certificates.bundle import (
    BundleError,
    annotated,
    back_up,
    may_be_trusted,
)
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    entries,
    found_by_openssl,
    read_certificates,
    read_content,
)
from stacktui.certificates.trust import TrustSource
from stacktui.config.atomic import exclusive, write_atomically
from stacktui.config.locations import exported_bundle, own_bundle
from stacktui.environments.model import Environment

# What az and every other program of `requests` asks for its bundle, in this order.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# The first line of what we wrote ourselves, and may write over without asking.
_MARK = b"# Written by `stacktui certificates export`, which writes it anew each time.\n"
# Nothing in it is secret, and other users' programs may be told to read it.
_MODE = 0o644


def sources_of(environments: Iterable[Environment]) -> list[TrustSource]:
    """What stacktui trusts besides a base store: its own bundle, and these environments' `ca`."""
    own = own_bundle()
    found = [TrustSource("own bundle", str(own))] if os.path.exists(own) else []
    return found + [
        TrustSource(f"ca of {each.name}", str(each.ca)) for each in environments if each.ca
    ]


@dataclass(frozen=True, slots=True)
class Part:
    """One file in a combined bundle, and how many certificates came from it alone."""

    source: TrustSource
    count: int


@dataclass(frozen=True, slots=True)
class Combined:
    """A bundle that is not yet written. `left_out` has a line for all that is not in it."""

    content: bytes
    parts: tuple[Part, ...]
    left_out: tuple[str, ...]

    @property
    def count(self) -> int:
        return sum(part.count for part in self.parts)


def combine(base: TrustSource, others: Sequence[TrustSource]) -> Combined:
    """All of `base` as it is, then what `others` hold besides, each certificate once.

    Of `others` only what may be trusted as a root. A file of theirs that cannot be read is left
    out, and told. Raises CertificateFileError when the base cannot be read, and BundleError when
    OpenSSL would not read the outcome.
    """
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
    return Combined(whole, tuple(parts), tuple(left_out))


def is_export(path: Path) -> bool:
    """Whether `path` is free to be written: no file is there, or one that we exported.

    Raises CertificateFileError for what is no file.
    """
    try:
        return read_content(path).startswith(_MARK)
    except CertificateFileError as error:
        if error.problem in (FileProblem.MISSING, FileProblem.TOO_LARGE):
            return error.problem is FileProblem.MISSING
        raise


def write_export(path: Path, combined: Combined) -> Path | None:
    """Write the bundle atomically; returns the backup's path if there was a file of others.

    Raises BundleError.
    """
    try:
        with exclusive(path):
            backup, old = None, None
            with suppress(CertificateFileError):
                old = read_content(path)
            if old is not None and not old.startswith(_MARK):
                backup = back_up(path, old)
            if old != combined.content:
                write_atomically(path, combined.content, mode=_MODE)
            return backup
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BundleError(f"{path} cannot be written ({reason}); it is as it was") from None


def exports_with(ders: Collection[bytes]) -> tuple[Path, ...]:
    """The bundles of our exporting that hold one of these: in the usual place, and in use."""
    named = (os.environ.get(variable) for variable in VARIABLES)
    paths = dict.fromkeys([exported_bundle(), *(Path(each) for each in named if each)])
    found = []
    for path in paths:
        with suppress(CertificateFileError):
            content = read_content(path)
            if content.startswith(_MARK) and any(each.der in ders for each in entries(content)):
                found.append(path)
    return tuple(found)


def _name(der: bytes) -> str:
    from stacktui.certificates.chain import describe

    return describe(der).common_name
