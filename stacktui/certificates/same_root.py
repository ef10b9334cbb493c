"""Whether a chain leads to a root that was seen before: by keys, as anybody can copy names.

What needs `cryptography`, which is slow to import, is imported where a chain is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stacktui.transport.records import TlsFacts

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate


def path_to_root(tls: TlsFacts) -> tuple[bytes, ...]:
    """Return the certificates (DER) from the leaf to the verifying root, or as far as presented."""
    from stacktui.certificates.chain import path_of

    return tls.verified_chain or tuple(tls.chain[position] for position in path_of(tls.chain))


def leads_to(path: Sequence[bytes], signer: bytes) -> bool:
    """Return whether `path` (DER, leaf first) leads to the root of which `signer` is known.

    `signer` is that root, or a certificate below it, such as an intermediate that a certificate of
    `path` signed too. A root that was renewed with the same key is the same root.
    """
    from stacktui.certificates.chain import issued_by, same_key

    if any(same_key(each, signer) or issued_by(signer, each) for each in path):
        return True
    return bool(path) and issued_by(path[-1], signer)


def is_of_other_root(path: Sequence[Certificate], before: Certificate) -> bool:
    """Return whether `path` (leaf first, not verified) leads to another root than `before` does.

    Servers send chains of different lengths: where neither keys nor signatures tell, those that
    share a name may have the same root.
    """
    now = path[-1]
    if now.unreadable or leads_to([each.der for each in path], before.der):
        return False
    if before.self_issued and (now.self_issued or now.issuer == before.subject):
        return True  # perhaps the same name, but another key
    if before.self_issued and not now.is_ca:
        return False  # the CA that signed a lone leaf may be below that root
    names = {name for each in path for name in (each.subject, each.issuer)}
    return before.issuer not in names and before.subject != now.issuer
