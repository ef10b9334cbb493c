"""Trust a root: the use case that the command line and the dashboard share.

`propose` finds the root of a chain, who else holds it and the bundles that it can go into.
`choose_roots` says which certificates may be trusted, and `trust_target.add` adds them. All of it
blocks on disk, and is slow to import.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from stacktui.certificates.additions import Addition, read_additions
from stacktui.certificates.bundle import Change, backup_of, may_be_trusted, plan_addition
from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.issuers import holders
from stacktui.certificates.matrix import load_column
from stacktui.certificates.roots import NoRoot, root_of, unfit_root, why_no_root
from stacktui.certificates.stores import Store, StoreKind, find_stores
from stacktui.certificates.trust_target import (
    TrustTarget,
    ca_name,
    ca_target,
    own_bundle_target,
)
from stacktui.config.locations import is_demo, own_bundle
from stacktui.environments.model import Environment

# The kinds of other programs' bundles that a root can be appended to.
_BUNDLES = (
    StoreKind.CERTIFI,
    StoreKind.AZ,
    StoreKind.REQUESTS,
    StoreKind.CURL,
    StoreKind.SSL_FILE,
)
# At most this many reasons are listed if no certificate of a file may be trusted.
_MAX_REASONS = 3


class OptionState(Enum):
    """Whether a root can go into a bundle."""

    WRITABLE = "writable"
    PRESENT = "there already"
    NOT_WRITABLE = "not writable"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class TrustOption:
    """A bundle that a root could go into: stacktui's own, an environment's `ca`, or a `store`'s.

    `change` is planned where the state is WRITABLE; else `why_not` says why. `backup` is the copy
    that is made first of a bundle of others, unless there is one already.
    """

    target: TrustTarget
    state: OptionState = OptionState.WRITABLE
    change: Change | None = None
    why_not: str = ""
    store: Store | None = None
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """The root of a chain, and the bundles that it could go into.

    `holders` names the stores of this machine that hold the root. `store_problem` says why the
    store in use cannot be loaded, so that nothing is trusted until that is fixed; else it is empty.
    """

    made: datetime
    root: Certificate
    holders: tuple[str, ...]
    options: tuple[TrustOption, ...]
    store_problem: str = ""

    @property
    def corroborated(self) -> bool:
        """Whether a store of this machine also holds the root."""
        return bool(self.holders)


@dataclass(frozen=True, slots=True)
class ChosenRoots:
    """The certificates (DER) that may be trusted, and the others, each with the reason."""

    ders: tuple[bytes, ...]
    left_out: tuple[tuple[Certificate, str], ...]


def propose(
    chain: Sequence[bytes],
    host: str,
    environment: Environment,
    config: Path,
    environments: Mapping[str, Environment],
) -> Proposal | NoRoot:
    """Propose to trust the root of the chain (DER, leaf first) that `host` presents.

    The host belongs to `environment`, one of the `environments` of `config`.
    """
    now = datetime.now(UTC)
    stores = find_stores(environment.ca, own_bundle())
    found = root_of(chain, stores)
    if found is None:
        return why_no_root(chain, host)
    root = describe(found.der)
    if (why := may_be_trusted(found.der, now)) is not None:
        return unfit_root(root.common_name, why)
    return Proposal(
        now,
        root,
        tuple(each.name for each in holders(found.der, stores)),
        tuple(_options(environment, config, environments, stores, found.der)),
        load_column(stores[0]).problem,
    )


def choose_roots(ders: Sequence[bytes], source: str) -> ChosenRoots:
    """Return those that may be trusted as roots. Raises CertificateError if none may."""
    now = datetime.now(UTC)
    judged = [(der, may_be_trusted(der, now)) for der in dict.fromkeys(ders)]
    chosen = tuple(der for der, why in judged if why is None)
    left_out = tuple((describe(der), why) for der, why in judged if why is not None)
    if not chosen:
        reasons = [f"{certificate.common_name} {why}" for certificate, why in left_out]
        rest = len(reasons) - _MAX_REASONS
        more = f"; and {rest} more like these" if rest > 0 else ""
        raise CertificateError(f"{source}: {'; '.join(reasons[:_MAX_REASONS])}{more}")
    return ChosenRoots(chosen, left_out)


def added_before(sha256: str) -> Addition:
    """Return a root that was added before (`sha256` as in Addition). Raises CertificateError."""
    log = read_additions()
    for each in log.additions:
        if each.sha256 == sha256:
            return each
    why = f" ({log.trouble})" if log.trouble else ""
    raise CertificateError(
        f"no root with SHA-256 {sha256} was added to a bundle before{why}; name its file"
    )


def bundles_of_others(stores: Sequence[Store]) -> list[tuple[Store, TrustTarget]]:
    """Return the other programs' bundles that a root can be appended to, each once.

    Empty in a demo, which does not touch the user's files.
    """
    found: dict[str, tuple[Store, TrustTarget]] = {}
    for store in stores:
        if store.kind not in _BUNDLES or is_demo():
            continue
        path = Path(store.sources[0].path)
        if not path.is_dir():
            found.setdefault(os.path.realpath(path), (store, TrustTarget(path, name=store.name)))
    return list(found.values())


def _options(
    environment: Environment,
    config: Path,
    environments: Mapping[str, Environment],
    stores: Sequence[Store],
    der: bytes,
) -> Iterator[TrustOption]:
    own = own_bundle_target()
    yield _option(own, der)
    offered = {os.path.realpath(own.path)}
    try:
        target = ca_target(config, environments, environment.name, (der,))
    except CertificateError as error:
        unusable = TrustTarget(environment.ca or Path(), name=ca_name(environment.name))
        yield TrustOption(unusable, OptionState.UNUSABLE, why_not=str(error))
    else:
        offered.add(os.path.realpath(target.path))
        yield _option(target, der)
    for store, target in bundles_of_others(stores):
        if os.path.realpath(target.path) not in offered:
            yield _option(target, der, store)


def _option(target: TrustTarget, der: bytes, store: Store | None = None) -> TrustOption:
    copy = None if target.ours else backup_of(target.path)
    backup = copy if copy and not copy.exists() else None

    def option(state: OptionState, why_not: str = "", change: Change | None = None) -> TrustOption:
        return TrustOption(target, state, change, why_not, store, backup)

    try:
        change = plan_addition(target.path, (der,), ours=target.ours)
    except CertificateError as error:
        return option(OptionState.UNUSABLE, str(error))
    if not change.changes and not target.new_ca:
        return option(OptionState.PRESENT, "it is in there already")
    # A bundle is replaced whole, which takes a right to its folder.
    if not target.ours and not os.access(target.path.resolve().parent, os.W_OK):
        why_not = "you may not write there: be root, or export a bundle instead"
        return option(OptionState.NOT_WRITABLE, why_not)
    return option(OptionState.WRITABLE, change=change)
