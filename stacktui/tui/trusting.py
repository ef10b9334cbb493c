"""What the screens about trust do with files: all of it blocks, and is slow to import.

Nothing here knows of a screen; the screens show what these functions return.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stacktui.certificates.additions import forget, read_memory
from stacktui.certificates.bundle import (
    WAAGENT,
    Change,
    additions_in,
    backup_of,
    may_be_trusted,
    plan_addition,
    plan_removal,
)
from stacktui.certificates.chain import Certificate, describe, described_path
from stacktui.certificates.destination import Destination, Outcome, ca_of, own, put, take
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.export import combine, is_export, sources_of, write_export
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    read_content,
)
from stacktui.certificates.matrix import load_column
from stacktui.certificates.roots import missing, root_of
from stacktui.certificates.store_content import content_of
from stacktui.certificates.stores import Store, StoreKind, find_stores
from stacktui.certificates.trust import TrustFileError, TrustSource
from stacktui.check.settings import Settings
from stacktui.check.target import Target
from stacktui.config.document import ConfigError
from stacktui.config.locations import exported_bundle, is_kept_elsewhere, own_bundle
from stacktui.diagnosis.interceptors import interceptor
from stacktui.text.sanitize import visible
from stacktui.text.shell import bash, powershell
from stacktui.tui.background import NotDoneError

# Bundles of other programs that a root can be appended to.
_BUNDLES = (
    StoreKind.CERTIFI,
    StoreKind.AZ,
    StoreKind.REQUESTS,
    StoreKind.CURL,
    StoreKind.SSL_FILE,
)
OWN, CA = "own bundle", "ca of {}"
THERE = "there already"


@dataclass(frozen=True, slots=True)
class Place:
    """A bundle to put a root into; `says` what that means. `change` is None where it cannot or
    need not be done: `why_not` says why. `word` is all that in a word or two."""

    name: str
    destination: Destination
    says: str
    word: str = "writable"
    change: Change | None = None
    why_not: str = ""

    @property
    def key(self) -> str:
        return f"{self.name} {self.destination.path}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """The root of a chain, and where it can go.

    `holders` names the stores of this box that hold the root; without any, only the host itself
    vouches for it. Without a root `why_not` and `mend` are set, and there are no places. `first`
    says why nothing is trusted at all until something else is mended.
    """

    made: datetime
    root: Certificate | None = None
    holders: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    why_not: str = ""
    mend: str = ""
    first: str = ""

    @property
    def vouched_for(self) -> bool:
        """Whether anybody but the host itself has told of the root."""
        return bool(self.holders)


def propose(target: Target, settings: Settings, chain: Sequence[bytes]) -> Proposal:
    """What trusting the root of a presented chain (DER, leaf first) would mean."""
    now = datetime.now(UTC)
    stores = find_stores(target.environment.ca, own_bundle())
    found = root_of(chain, stores)
    if found is None:
        return _no_root(chain, now)
    root = describe(found.der)
    if (why := may_be_trusted(found.der, now)) is not None:
        return Proposal(
            now,
            why_not=f"The root of the chain, {root.common_name}, {why}.",
            mend="The stamp's operator must replace it. Nothing can be done about it here.",
        )
    return Proposal(
        now,
        root,
        tuple(each.name for each in stores if _holds(each, found.der)),
        tuple(_places(target, settings, stores, found.der)),
        first=load_column(stores[0]).problem,
    )


def _no_root(chain: Sequence[bytes], now: datetime) -> Proposal:
    leaf = describe(chain[0])
    if leaf.self_issued and len(chain) == 1:
        return Proposal(
            now,
            why_not=f"The host presents {leaf.common_name} alone, a certificate that signed "
            "itself. A leaf can be no root, so there is nothing to trust.",
            mend="The stamp's operator must give the host a certificate that a CA has issued.",
        )
    if gateway := interceptor(described_path(chain)):
        return Proposal(
            now,
            why_not=f"The chain goes on with {gateway}, which is named like a gateway that opens "
            "TLS on the way. The host does not present it, and no store on this box holds it.",
            mend="Ask for this host to be exempt from TLS inspection. Else get that root as a file "
            "from whoever runs the gateway, compare its SHA-256 with theirs, then: "
            "stacktui certificates trust FILE",
        )
    return Proposal(
        now,
        why_not=f"The chain goes on with {missing(chain)}, which the host does not present and "
        "no store on this box holds.",
        mend="Ask the stamp's operator for that root as a file (a Linux VM in the stamp has it "
        f"in {WAAGENT}), compare its SHA-256, then: stacktui certificates trust FILE",
    )


def _holds(store: Store, der: bytes) -> bool:
    for source in store.sources:
        try:
            if any(entry.der == der for entry in content_of(source).entries):
                return True
        except TrustFileError:
            continue
    return False


def _places(
    target: Target, settings: Settings, stores: Sequence[Store], der: bytes
) -> Iterator[Place]:
    name = target.environment.name
    yield _place(
        OWN,
        own(),
        "Counts for every environment here. az and other programs do not read it: press x in "
        "the pane to export a bundle for them.",
        der,
    )
    taken = {os.path.realpath(own_bundle())}
    try:
        destination = ca_of(settings.path, settings.environments, name, (der,))
    except CertificateError as error:
        unusable = Destination(target.environment.ca or Path())
        yield Place(CA.format(name), unusable, "", "unusable", None, str(error))
    else:
        taken.add(os.path.realpath(destination.path))
        yield _place(CA.format(name), destination, _of_environments(destination), der)
    for store in _of_other_programs(stores):
        path = store.sources[0].path if store.sources else ""
        if os.path.realpath(path) in taken or os.path.isdir(path):
            continue
        taken.add(os.path.realpath(path))
        yield _place(store.name, Destination(Path(path)), _of_others(store), der)


def _of_other_programs(stores: Sequence[Store]) -> list[Store]:
    """Those that a root may be put into. None in a demo, which leaves alone what is the user's."""
    return [each for each in stores if each.kind in _BUNDLES and not is_kept_elsewhere()]


def _of_environments(destination: Destination) -> str:
    names = ", ".join(destination.environments)
    if destination.new_ca:
        return f"A new file, which becomes the ca of {names} in the config. Counts for it alone."
    copied = "" if destination.ours else _copied(destination.path)
    return f"Counts for {names} alone.{copied}"


def _of_others(store: Store) -> str:
    of = f"{store.name} ({store.detail})" if store.detail else store.name
    certifi = store.kind in (StoreKind.CERTIFI, StoreKind.AZ)
    loses = " An upgrade of certifi loses it without a word." if certifi else ""
    return (
        f"The bundle of {of}; needs write permission.{_copied(Path(store.path))}{loses} "
        "The export (x in the pane) survives upgrades and needs no root."
    )


def _copied(path: Path) -> str:
    copy = backup_of(path)
    return "" if copy.exists() else f" The file as it is now is kept as {copy.name}."


def _place(name: str, destination: Destination, says: str, der: bytes) -> Place:
    try:
        change = plan_addition(destination.path, (der,), ours=destination.ours)
    except CertificateError as error:
        return Place(name, destination, says, "unusable", None, str(error))
    if not change.changes and not destination.new_ca:
        return Place(name, destination, says, THERE, None, "it is in there already")
    if not destination.ours and not _may_be_written(destination.path):
        why = "you may not write there: be root, or use x in the pane instead"
        return Place(name, destination, says, "not writable", None, why)
    return Place(name, destination, says, change=change)


def _may_be_written(path: Path) -> bool:
    # It is replaced, which takes a right to its folder.
    return os.access(path.resolve().parent, os.W_OK)


def trust(place: Place) -> Outcome:
    """Put the root there. Raises NotDoneError; then nothing was changed."""
    if place.change is None:
        raise NotDoneError(place.why_not)
    try:
        return put(place.destination, place.change)
    except (CertificateError, ConfigError) as error:
        raise NotDoneError(str(error)) from None


# Taking back


@dataclass(frozen=True, slots=True)
class Added:
    """A root that stacktui added to a bundle; `lost` when it is no longer there, as after an
    upgrade, so that it can only be forgotten. `found` is when it was looked for."""

    found: datetime
    name: str
    destination: Destination
    certificate: Certificate
    lost: bool = False

    @property
    def key(self) -> str:
        return f"{self.certificate.sha256} {self.destination.path}"


def additions(settings: Settings) -> tuple[Added, ...]:
    """Everything that stacktui added, wherever it was."""
    found: dict[str, Added] = {}
    now = datetime.now(UTC)
    unreadable = set()
    for name, destination in _bundles(settings):
        try:
            ders = additions_in(read_content(destination.path))
        except CertificateFileError as error:
            if error.problem is not FileProblem.MISSING:
                unreadable.add(_real(destination.path))
            continue
        for der in ders:
            added = Added(now, name, destination, describe(der))
            found.setdefault(f"{added.certificate.sha256} {_real(destination.path)}", added)
    for each in read_memory().additions:
        if _real(each.path) in unreadable:
            continue  # nobody knows whether it is lost
        name, destination = visible(each.path.name), Destination(each.path)
        added = Added(now, name, destination, describe(each.der), lost=True)
        found.setdefault(f"{added.certificate.sha256} {_real(each.path)}", added)
    return tuple(found.values())


def _bundles(settings: Settings) -> Iterator[tuple[str, Destination]]:
    yield OWN, own()
    for each in settings.environments.values():
        if each.ca is not None:
            try:
                yield CA.format(each.name), ca_of(settings.path, settings.environments, each.name)
            except CertificateError:
                continue
    for store in _of_other_programs(find_stores(None, own_bundle())):
        yield store.name, Destination(Path(store.sources[0].path))
    for remembered in read_memory().additions:
        yield visible(remembered.path.name), Destination(remembered.path)


def _real(path: Path) -> str:
    return os.path.realpath(path)


def untrust(added: Added) -> str:
    """Take exactly that root out again; returns trouble in one line. Raises NotDoneError."""
    fingerprint = added.certificate.sha256.replace(":", "").lower()
    destination = added.destination
    if added.lost:
        return forget(destination.path, [fingerprint])
    try:
        change = plan_removal(destination.path, [fingerprint], ours=destination.ours)
        return take(destination, change).trouble
    except (CertificateError, ConfigError) as error:
        raise NotDoneError(str(error)) from None


# Exporting


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written: `parts` says how many certificates came from where."""

    path: Path
    parts: tuple[tuple[str, int], ...]
    left_out: tuple[str, ...]
    bash: str
    powershell: str


def export(settings: Settings | None) -> Exported:
    """Write certifi's roots and all that stacktui trusts besides. Raises NotDoneError."""
    import certifi

    path = exported_bundle()
    others = sources_of(settings.environments.values() if settings else ())
    try:
        if not is_export(path):
            raise NotDoneError(f"{visible(str(path))} was not exported by stacktui: move it away")
        combined = combine(TrustSource("certifi", certifi.where()), others)
        write_export(path, combined)
    except CertificateError as error:
        raise NotDoneError(str(error)) from None
    return Exported(
        path,
        tuple((part.source.setting, part.count) for part in combined.parts),
        combined.left_out,
        f"export REQUESTS_CA_BUNDLE={bash(str(path))}",
        f"$env:REQUESTS_CA_BUNDLE = {powershell(str(path))}",
    )
