"""Trust a root: the use case that the command line and the dashboard share.

`propose` finds the root of a chain, who else holds it and the bundles that it can go into;
`propose_from_file` takes what the chain lacks from a file.
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
from urllib.parse import urlsplit

from stacktui.certificates.additions import Addition, read_additions
from stacktui.certificates.bundle import Change, may_be_trusted, plan_addition
from stacktui.certificates.chain import (
    MAX_PATH,
    Certificate,
    describe,
    described_path,
    top_of,
)
from stacktui.certificates.chain_completion import certificates_in
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    problem_of,
    read_content,
)
from stacktui.certificates.interceptors import interceptor
from stacktui.certificates.issuers import holders, issuer_among, issuer_in
from stacktui.certificates.matrix import load_column
from stacktui.certificates.roots import NoRoot, root_of, unfit_root, why_no_root
from stacktui.certificates.stores import Store, StoreKind, find_stores
from stacktui.certificates.trust import ca_sources, new_context
from stacktui.certificates.trust_target import (
    TrustTarget,
    ca_name,
    ca_target,
    own_bundle_target,
)
from stacktui.certificates.verify import ROOTLESS, verify
from stacktui.config.backup import backup_of
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
# Certificates of one file that are tried: more than any store of roots has.
_MAX_CERTIFICATES = 2000
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
    `gateway` is the root's name if it is named like a TLS inspector's. A root from a `file` does
    complete the chain; `refused` says in a word why OpenSSL refuses it even then, if it does.
    """

    made: datetime
    root: Certificate
    holders: tuple[str, ...]
    options: tuple[TrustOption, ...]
    store_problem: str = ""
    gateway: str = ""
    file: Path | None = None
    refused: str = ""

    @property
    def corroborated(self) -> bool:
        """Whether the root comes from elsewhere than the host: a store of this machine, a file."""
        return bool(self.holders) or self.file is not None


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
        tuple(_options(environment, config, environments, stores, (found.der,))),
        load_column(stores[0]).problem,
        interceptor(described_path(chain)) or "",
    )


def propose_from_file(
    file: Path,
    chain: Sequence[bytes],
    host: str,
    environment: Environment,
    config: Path,
    environments: Mapping[str, Environment],
) -> Proposal:
    """Propose to trust the certificates of `file` (PEM, DER or PKCS#7) that complete the chain.

    The chain (DER, leaf first) is what `host` presents, without its root. Raises CertificateError
    if it is not complete with them, by OpenSSL's own verdict.
    """
    content = read_content(file)
    ders = certificates_in(content, _MAX_CERTIFICATES)
    if not ders:
        problem = problem_of(content)
        # Binary, but no certificate.
        problem = FileProblem.NO_CERTIFICATE if problem is FileProblem.DER else problem
        raise CertificateFileError(file, problem)
    now, stores = datetime.now(UTC), find_stores(environment.ca, own_bundle())
    added, top = _issuers(chain, ders, stores[:1])
    context = new_context(ca_sources(environment.ca, own_bundle()).sources)
    if added:
        context.load_verify_locations(cadata=b"".join(added))
    found = verify(chain, urlsplit(f"//{host}").hostname or host, context)
    end = describe(top)
    if found.code in ROOTLESS:
        names = ", ".join(describe(der).common_name for der in ders[:_MAX_REASONS])
        raise CertificateError(
            f"{file} does not complete the chain: {end.common_name} was signed by "
            f"{end.issuer_name}, and none of its certificates did that ({names})"
        )
    for der in added:
        if (why := may_be_trusted(der, now)) is not None:
            raise CertificateError(f"{file}: {describe(der).common_name} {why}")
    return Proposal(
        now,
        end,
        (),
        tuple(_options(environment, config, environments, stores, added)),
        gateway=interceptor((end,)) or "",
        file=file,
        refused="" if found.ok else found.word,
    )


def _issuers(
    chain: Sequence[bytes], ders: Sequence[bytes], in_use: Sequence[Store]
) -> tuple[tuple[bytes, ...], bytes]:
    """Return those of `ders` that continue the chain, and the end of it; stores are followed."""
    top, added = top_of(chain), []
    for _ in range(MAX_PATH):
        if describe(top).self_issued:
            break
        issuer = issuer_among(top, ders)
        if issuer is not None:
            added.append(issuer)
        elif above := issuer_in(top, in_use):
            issuer = above[0]
        else:
            break
        top = issuer
    return tuple(added), top


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
    ders: tuple[bytes, ...],
) -> Iterator[TrustOption]:
    own = own_bundle_target()
    yield _option(own, ders)
    offered = {os.path.realpath(own.path)}
    try:
        target = ca_target(config, environments, environment.name, ders)
    except CertificateError as error:
        unusable = TrustTarget(environment.ca or Path(), name=ca_name(environment.name))
        yield TrustOption(unusable, OptionState.UNUSABLE, why_not=str(error))
    else:
        offered.add(os.path.realpath(target.path))
        yield _option(target, ders)
    for store, target in bundles_of_others(stores):
        if os.path.realpath(target.path) not in offered:
            yield _option(target, ders, store)


def _option(
    target: TrustTarget, ders: tuple[bytes, ...], store: Store | None = None
) -> TrustOption:
    copy = None if target.ours else backup_of(target.path)
    backup = copy if copy and not copy.exists() else None

    def option(state: OptionState, why_not: str = "", change: Change | None = None) -> TrustOption:
        return TrustOption(target, state, change, why_not, store, backup)

    try:
        change = plan_addition(target.path, ders, ours=target.ours)
    except CertificateError as error:
        return option(OptionState.UNUSABLE, str(error))
    if not change.changes and not target.new_ca:
        return option(OptionState.PRESENT, "it is in there already")
    # A bundle is replaced whole, which takes a right to its folder.
    if not target.ours and not os.access(target.path.resolve().parent, os.W_OK):
        why_not = "you may not write there: be root, or export a bundle instead"
        return option(OptionState.NOT_WRITABLE, why_not)
    return option(OptionState.WRITABLE, change=change)
