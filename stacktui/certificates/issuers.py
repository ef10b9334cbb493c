"""The issuer of a certificate, searched among others and in the stores of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from stacktui.certificates.chain import describe, issued_by, same_key
from stacktui.certificates.signatures import Signature, signature_by
from stacktui.certificates.store_content import content_of
from stacktui.certificates.stores import Store
from stacktui.certificates.trust import TrustFileError, TrustSource
from stacktui.text.sanitize import escape_control_chars

# Certificates of the issuer's name that are tried: a CA that was renewed a few times has no more,
# and a signature costs much more to verify than a name.
MAX_TRIED = 8


def issuer_among(der: bytes, candidates: Iterable[bytes]) -> bytes | None:
    """The first of `candidates` (DER) that signed `der`; at most MAX_TRIED signatures are tried."""
    name = describe(der).issuer
    tried: set[bytes] = set()
    for each in candidates:
        if describe(each).subject != name or each in tried:
            continue
        if len(tried) == MAX_TRIED:
            break
        if issued_by(der, each):
            return each
        tried.add(each)
    return None


def namesakes(der: bytes, stores: Iterable[Store]) -> tuple[tuple[bytes, tuple[str, ...]], ...]:
    """Return those in `stores` of the issuer's name whose key did not sign `der`, and their files.

    Only where the signature was computed. At most MAX_TRIED are tried; a root is no namesake of
    itself, nor of its renewal with the same key. Blocks on disk.
    """
    name = describe(der).issuer
    found: dict[bytes, list[str]] = {}
    for store in stores:
        for source in store.sources:
            for each in _of_source(source):
                if describe(each).subject != name:
                    continue
                if each not in found and len(found) == MAX_TRIED:
                    break
                place = escape_control_chars(f"{source.setting} ({source.path})")
                places = found.setdefault(each, [])
                if place not in places:
                    places.append(place)
    return tuple(
        (each, tuple(places))
        for each, places in found.items()
        if not same_key(der, each) and signature_by(der, each) is Signature.FALSE
    )


def issuer_in(der: bytes, stores: Sequence[Store]) -> tuple[bytes, tuple[Store, ...]] | None:
    """The certificate in one of `stores` that signed `der`, and all of them that hold it.

    A store that cannot be read is passed over. Blocks on disk.
    """
    issuer = issuer_among(der, (each for store in stores for each in _content(store)))
    return None if issuer is None else (issuer, holders(issuer, stores))


def holders(der: bytes, stores: Iterable[Store]) -> tuple[Store, ...]:
    """Those of `stores` that hold this certificate. Blocks on disk."""
    return tuple(each for each in stores if der in _content(each))


def _content(store: Store) -> Iterator[bytes]:
    for source in store.sources:
        yield from _of_source(source)


def _of_source(source: TrustSource) -> Iterator[bytes]:
    with suppress(TrustFileError):
        yield from (entry.der for entry in content_of(source).entries)
