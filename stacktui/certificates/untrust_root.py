"""Untrust a root: find what stacktui added to any bundle, and remove exactly that.

All of it blocks on disk, and is slow to import.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stacktui.certificates.additions import (
    Addition,
    LostAddition,
    forget,
    lost_additions,
    read_additions,
    remembered_of,
)
from stacktui.certificates.bundle import BundleError, Change, additions_in, plain, plan_removal
from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.files import CertificateFileError, FileProblem, read_content
from stacktui.certificates.stores import find_stores
from stacktui.certificates.trust_root import bundles_of_others
from stacktui.certificates.trust_target import TrustTarget, ca_target, own_bundle_target, remove
from stacktui.config.locations import own_bundle
from stacktui.environments.model import Environment
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.shell import bash


@dataclass(frozen=True, slots=True)
class AddedRoot:
    """A root that stacktui added to a bundle. `lost` means that the bundle no longer holds it, as
    after an upgrade, so that it can only be forgotten. `found` is the time of the search."""

    found: datetime
    target: TrustTarget
    certificate: Certificate
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Removal:
    """A planned removal from a bundle. `change` is None if everything is `lost`: logged, but no
    longer in the bundle, so that it is only forgotten."""

    target: TrustTarget
    change: Change | None
    lost: tuple[LostAddition, ...] = ()

    @property
    def removed(self) -> tuple[bytes, ...]:
        return self.change.removed if self.change is not None else ()

    @property
    def present(self) -> tuple[bytes, ...]:
        """The requested roots that stay, as stacktui did not add them."""
        return self.change.present if self.change is not None else ()

    @property
    def file_removed(self) -> bool:
        return self.change is not None and self.change.after is None


def added_roots(config: Path, environments: Mapping[str, Environment]) -> tuple[AddedRoot, ...]:
    """Return everything that stacktui added; `environments` are those of `config`."""
    now = datetime.now(UTC)
    found: dict[tuple[str, bytes], AddedRoot] = {}
    logged = read_additions().additions
    lost = {(each.path, each.sha256) for each in lost_additions()}
    for target in (*_targets(config, environments), *map(_target_of, logged)):
        with suppress(CertificateFileError):
            for der in additions_in(read_content(target.path)):
                key = (os.path.realpath(target.path), der)
                found.setdefault(key, AddedRoot(now, target, describe(der)))
    for each in logged:
        if (each.path, each.sha256) in lost:
            key = (os.path.realpath(each.path), each.der)
            found.setdefault(key, AddedRoot(now, _target_of(each), describe(each.der), lost=True))
    return tuple(found.values())


def take_back(added: AddedRoot) -> str:
    """Remove that root, or forget it if it is lost. Returns the trouble, if any, in one line.

    Raises StacktuiError; then nothing was changed.
    """
    return untrust(plan_untrust(added.target, {plain(added.certificate.sha256)}))


def plan_untrust(target: TrustTarget, fingerprints: Collection[str]) -> Removal:
    """Plan to remove what was added to a bundle, by SHA-256 (lower case, no colons).

    Raises CertificateError if stacktui added none of it there; the error says where it did.
    """
    lost = tuple(
        each for each in remembered_of(target.path, lost_additions()) if each.sha256 in fingerprints
    )
    wanted = set(fingerprints) - {each.sha256 for each in lost}
    if lost and not wanted:
        return Removal(target, None, lost)
    try:
        return Removal(target, plan_removal(target.path, wanted, ours=target.ours), lost)
    except CertificateError as error:
        if lost:
            return Removal(target, None, lost)
        if elsewhere := _elsewhere(target, wanted):
            raise BundleError(f"{error}; {elsewhere}") from None
        missing = isinstance(error, CertificateFileError) and error.problem is FileProblem.MISSING
        if target.ours and missing:
            raise BundleError(f"{error}, so nothing is trusted there") from None
        raise


def untrust(removal: Removal) -> str:
    """Carry out a removal. Returns the trouble, if any, in one line. Raises StacktuiError."""
    target, trouble = removal.target, ""
    if removal.change is not None:
        trouble = remove(target, removal.change)
    if removal.lost:
        trouble = forget(target.path, [each.sha256 for each in removal.lost]) or trouble
    return trouble


def _targets(config: Path, environments: Mapping[str, Environment]) -> Iterator[TrustTarget]:
    yield own_bundle_target()
    for each in environments.values():
        if each.ca is not None:
            with suppress(CertificateError):
                yield ca_target(config, environments, each.name)
    yield from (target for _, target in bundles_of_others(find_stores(None, own_bundle())))


def _target_of(addition: Addition) -> TrustTarget:
    return TrustTarget(addition.path, name=escape_control_chars(addition.path.name))


def _elsewhere(target: TrustTarget, fingerprints: Collection[str]) -> str:
    """Return where it was added, if not here."""
    for each in read_additions().additions:
        if each.sha256 in fingerprints and each.path != target.path:
            return f"it was added elsewhere: --store {bash(str(each.path))}"
    return ""
