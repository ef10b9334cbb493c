"""Find the root of a presented chain, or the reason why there is none to trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from stacktui.certificates.bundle import WAAGENT
from stacktui.certificates.chain import MAX_PATH, describe, described_path, path_of
from stacktui.certificates.interceptors import interceptor
from stacktui.certificates.issuers import issuer_in
from stacktui.certificates.stores import Store

_TRUST_FILE = "stacktui certificates trust FILE"


@dataclass(frozen=True, slots=True)
class FoundRoot:
    """A root (DER) that would complete a chain. `where` is the store that holds it, None if the
    host presented it itself: then only its fingerprint proves whose it is."""

    der: bytes
    where: Store | None = None


class NoRootReason(Enum):
    """Why a presented chain has no root to trust."""

    SELF_SIGNED = auto()  # a leaf that is its own issuer
    INTERCEPTED = auto()  # neither presented nor in a store, and named like a TLS inspector's
    MISSING = auto()  # neither presented nor in a store
    UNFIT = auto()  # it is there, but may not be trusted as a root


@dataclass(frozen=True, slots=True)
class NoRoot:
    """Why there is no root to trust. `name` is of the self-signed, missing or unfit certificate.

    `why` is a sentence without its full stop, `advice` what to do instead; where there is a
    `command`, that is the last part of the advice. All text is safe to show.
    """

    reason: NoRootReason
    name: str
    why: str
    advice: str
    command: str = ""

    @property
    def remedy(self) -> str:
        """The advice with its command."""
        return f"{self.advice}: {self.command}" if self.command else self.advice


def root_of(chain: Sequence[bytes], stores: Sequence[Store] = ()) -> FoundRoot | None:
    """The root of a chain (DER, leaf first): presented, else found in one of `stores`.

    A store that cannot be read is passed over. Blocks on disk. None where there is no root to be
    had, and for a leaf that is its own issuer, which is no root: `why_no_root` says which.
    """
    presented = path_of(chain)
    if not presented:
        return None
    found = FoundRoot(chain[presented[-1]])
    for _ in range(MAX_PATH):
        certificate = describe(found.der)
        if certificate.self_issued:
            return found if certificate.is_ca else None
        above = issuer_in(found.der, stores)
        if above is None:
            return None
        issuer, where = above
        found = FoundRoot(issuer, where[0])
    return None


def why_no_root(chain: Sequence[bytes], host: str = "the host") -> NoRoot:
    """Why `root_of` found no root for what `host` presents, one certificate at least."""
    leaf = describe(chain[0])
    if leaf.self_issued:
        return NoRoot(
            NoRootReason.SELF_SIGNED,
            leaf.common_name,
            f"{host} presents {leaf.common_name}, which signed itself and is no CA. A leaf can be "
            "no root, so there is nothing to trust",
            "the stamp's operator must give the host a certificate that a CA has issued; or "
            "something else answers in the stamp's place",
        )
    if name := interceptor(described_path(chain)):
        return NoRoot(
            NoRootReason.INTERCEPTED,
            name,
            f"{host} does not present the root {name}, which is named like a gateway that opens "
            "TLS on the way, and no store on this machine holds it",
            "ask for this host to be exempt from TLS inspection; else get that root as a file "
            "from whoever runs the gateway, compare its SHA-256 with theirs, then",
            _TRUST_FILE,
        )
    name = missing(chain)
    return NoRoot(
        NoRootReason.MISSING,
        name,
        f"{host} does not present the root {name}, as is usual, "
        "and no store on this machine holds it",
        "get it, and the root above it if it is an intermediate, as a file from the stamp's "
        f"operator (a Linux VM in the stamp has the root in {WAAGENT}), compare its SHA-256, then",
        _TRUST_FILE,
    )


def unfit_root(name: str, why: str) -> NoRoot:
    """For a root that may not be trusted; `why` follows its name."""
    return NoRoot(
        NoRootReason.UNFIT,
        name,
        f"the root of the chain, {name}, {why}",
        "the stamp's operator must replace it; nothing can be done about it here",
    )


def missing(chain: Sequence[bytes]) -> str:
    """The name of the certificate that a chain without a root would go on with."""
    path = path_of(chain)
    return describe(chain[path[-1]]).issuer_name if path else ""
