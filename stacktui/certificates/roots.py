"""Which root a presented chain leads to, and where on this box that root can be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stacktui.certificates.chain import MAX_PATH, describe, path_of
from stacktui.certificates.issuers import issuer_in
from stacktui.certificates.stores import Store


@dataclass(frozen=True, slots=True)
class FoundRoot:
    """A root (DER) that would make a chain whole. `where` is the store that holds it, None for
    one that the host presented itself: then only its fingerprint can tell whose it is."""

    der: bytes
    where: Store | None = None


def root_of(chain: Sequence[bytes], stores: Sequence[Store] = ()) -> FoundRoot | None:
    """The root of a chain (DER, leaf first): presented, else found in one of `stores`.

    A store that cannot be read is passed over. Blocks on disk. None where there is no root to be
    had, and for a leaf that is its own issuer, which is no root.
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


def missing(chain: Sequence[bytes]) -> str:
    """The name of the certificate that a chain without a root would go on with."""
    path = path_of(chain)
    return describe(chain[path[-1]]).issuer_name if path else ""
