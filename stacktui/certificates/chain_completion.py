"""Completion of a chain that OpenSSL could not follow to a trusted root.

An intermediate that is not sent and a root that is not trusted look alike to a client. The missing
certificate itself distinguishes them: it comes from a store of this machine, or from the address
that the last certificate names for its issuer (AIA, RFC 5280 section 4.2.2.1).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from stacktui.certificates.chain import describe, top_of
from stacktui.certificates.file_repair import repair_of
from stacktui.certificates.files import CertificateFileError, entries, read_content
from stacktui.certificates.issuers import holders, issuer_among, issuer_in, namesakes
from stacktui.certificates.stores import Store, StoreKind, find_stores
from stacktui.certificates.trust import TrustFileError, TrustUsed, build_context
from stacktui.certificates.verify import verify
from stacktui.config.locations import own_bundle
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.background import in_background

_IN_USE = "the store in use"
# A path up to a root is no longer than this on any real stamp.
_STEPS = 4
# Addresses that are asked for one issuer.
_URLS = 2
# Bytes of one certificate, or of the few that a PKCS#7 file holds.
MAX_SIZE = 256 * 1024
# Certificates of one file that are tried.
_CERTIFICATES = 16

# The body behind a URL, or in a few words why there is none.
Fetch = Callable[[str], Awaitable[bytes | str]]


@dataclass(frozen=True, slots=True)
class FoundIssuer:
    """A certificate (DER) that the host did not present; `where` are the stores that hold it, or
    the address it came from."""

    der: bytes = field(repr=False)
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlawedFile:
    """A trusted file of which programs read only a part: `setting` names it, `text` says what is
    wrong and on which line. `holds_issuer` says that the missing issuer is in the part not read."""

    setting: str
    path: str
    text: str
    holds_issuer: bool


@dataclass(frozen=True, slots=True)
class ChainCompletion:
    """How far up a presented chain could be followed.

    `found` are the certificates that were missing, from the leaf's end up. `holders` are the
    stores of this machine that hold the root, if one was reached. `trusted` says that the store in
    use accepts the chain once it is whole. `unanswered` has an address that gave no certificate,
    and why, a line each. `namesakes` are certificates of this machine's files that have the name of
    the issuer where the chain stops, but not its key: `where` are their settings and paths.
    `flawed` are the files in use that are read in part.
    """

    host: str
    port: int
    found: tuple[FoundIssuer, ...] = ()
    holders: tuple[str, ...] = ()
    trusted: bool = False
    unanswered: tuple[str, ...] = ()
    namesakes: tuple[FoundIssuer, ...] = ()
    flawed: tuple[FlawedFile, ...] = ()


async def complete_chain(
    host: str, port: int, chain: Sequence[bytes], trust: TrustUsed, fetch: Fetch
) -> ChainCompletion:
    """Follow `chain` (DER, leaf first) up to its root. Never raises.

    Reads the stores of this machine and tries signatures in daemon threads, and starts no process;
    `fetch` is asked for what no store holds.
    """
    others = await in_background(_others)
    # OpenSSL has already searched this store, and may have found an intermediate.
    every = (Store(StoreKind.IN_USE, _IN_USE, trust.sources), *others)
    top = await in_background(lambda: top_of(chain))
    found: list[FoundIssuer] = []
    unanswered: list[str] = []
    while top and len(found) < _STEPS and not describe(top).self_issued:
        issuer = await in_background(partial(_in_stores, top, every))
        issuer = issuer or await _from_addresses(top, fetch, unanswered)
        if issuer is None or issuer.der in (*chain, *(each.der for each in found)):
            break  # the second: certificates that sign each other in a ring
        if _IN_USE in issuer.where and describe(issuer.der).self_issued:
            break  # this root is not missing
        found.append(issuer)
        top = issuer.der
    reached = bool(top) and describe(top).self_issued
    held = await in_background(lambda: _names(holders(top, others))) if reached else ()
    whole = [*chain, *(each.der for each in found)]
    trusted = bool(found) and await in_background(lambda: _accepted(whole, host, trust))
    alike = await in_background(lambda: _namesakes(top, every)) if top else ()
    flawed = await in_background(lambda: _flawed(top, trust)) if top else ()
    return ChainCompletion(
        host, port, tuple(found), held, trusted, tuple(unanswered), alike, flawed
    )


def _flawed(top: bytes, trust: TrustUsed) -> tuple[FlawedFile, ...]:
    found = []
    for source in trust.sources:
        with suppress(CertificateFileError):
            repair = repair_of(read_content(Path(source.path)))
            if repair is not None:
                ders = [each.der for each in entries(repair.content) if each.der]
                holds = top in ders or issuer_among(top, ders) is not None
                path, text = escape_control_chars(source.path), str(repair)
                found.append(FlawedFile(source.setting, path, text, holds))
    return tuple(found)


def _namesakes(top: bytes, stores: Iterable[Store]) -> tuple[FoundIssuer, ...]:
    return tuple(FoundIssuer(der, where) for der, where in namesakes(top, stores))


def _others() -> tuple[Store, ...]:
    # The first is what is in use for an environment without a ca of its own.
    return find_stores(None, own_bundle(), ask=False)[1:]


def _accepted(chain: Sequence[bytes], host: str, trust: TrustUsed) -> bool:
    # A self-signed certificate at the end must be in the store already; as presented it is none.
    sent = [der for der in chain if not describe(der).self_issued]
    with suppress(TrustFileError):
        return verify(sent, host, build_context(trust)).ok
    return False


def _in_stores(der: bytes, stores: Sequence[Store]) -> FoundIssuer | None:
    above = issuer_in(der, stores)
    return FoundIssuer(above[0], _names(above[1])) if above else None


def _names(stores: Iterable[Store]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in stores))


async def _from_addresses(der: bytes, fetch: Fetch, unanswered: list[str]) -> FoundIssuer | None:
    # Microsoft's CAs name their directory (ldap:) first.
    urls = [url for url in describe(der).issuer_urls if url.lower().startswith("http:")]
    for url in urls[:_URLS]:
        body = await fetch(url)
        if isinstance(body, str):
            unanswered.append(f"{url}: {body}")
            continue
        issuer = await in_background(partial(_in_body, der, body))
        if issuer is not None:
            return FoundIssuer(issuer, (url,))
        unanswered.append(f"{url}: not the certificate of its issuer")
    return None


def _in_body(der: bytes, body: bytes) -> bytes | None:
    return issuer_among(der, certificates_in(body))


def certificates_in(body: bytes, most: int = _CERTIFICATES) -> list[bytes]:
    """The first of a file as CAs publish it: DER, PEM, or PKCS#7 in either form. Never raises."""
    repair = repair_of(body)
    found = islice((each.der for each in entries(repair.content if repair else body)), most)
    return [der for der in found if der and not describe(der).unreadable]
