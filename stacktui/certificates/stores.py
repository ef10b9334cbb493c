"""The trust stores of this machine: which exist, what each holds, and a context for each alone.

Which of them counts depends on the program (PROTOCOL.md section 6): `az` and all that uses
requests take REQUESTS_CA_BUNDLE, then CURL_CA_BUNDLE, then their own certifi; what uses OpenSSL
takes SSL_CERT_FILE and SSL_CERT_DIR, else the system's. Finding and loading stores needs no
`cryptography`; only `read_stores` imports it.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from stacktui.azure_cli.installations import find_azure_clis
from stacktui.certificates.additions import LostAddition, lost_additions
from stacktui.certificates.bundle import WAAGENT
from stacktui.certificates.files import SYSTEM_BUNDLES, FileProblem
from stacktui.certificates.store_content import HASHED, content_of, identity_of
from stacktui.certificates.trust import (
    TrustFileError,
    TrustSource,
    TrustUsed,
    build_context,
    ca_sources,
    new_context,
    source_error,
    stamp_of,
)
from stacktui.errors import is_exhaustion
from stacktui.text.sanitize import escape_control_chars

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# At most this many unreadable entries of a store are listed.
MAX_UNREADABLE = 20
# Contexts that are kept: more than a machine has stores.
_KEPT = 32


class StoreKind(StrEnum):
    """What uses a store."""

    IN_USE = "in-use"
    OWN = "own"
    CERTIFI = "certifi"
    AZ = "az"
    REQUESTS = "requests-ca-bundle"
    CURL = "curl-ca-bundle"
    SSL_FILE = "ssl-cert-file"
    SSL_DIR = "ssl-cert-dir"
    SYSTEM = "system"
    WAAGENT = "waagent"


@dataclass(frozen=True, slots=True)
class Store:
    """One trust store: files, or folders in OpenSSL's hashed form, that count together.

    `name` is short, for a column, and not unique: two installations of `az` may be of one
    version. `detail` says more (the launcher of `az`); all text is safe to show but the paths.
    """

    kind: StoreKind
    name: str
    sources: tuple[TrustSource, ...]
    detail: str = ""

    @property
    def path(self) -> str:
        """All paths of the store in one line, safe to show."""
        return escape_control_chars(" + ".join(source.path for source in self.sources))


@dataclass(frozen=True, slots=True)
class StoreState:
    """The content of a store. All text is safe to show, each in one line.

    `count` is of different certificates. `unreadable` names entries that are damaged, and files
    of a folder that cannot be used. `problem` says why the store as a whole cannot be used (then
    the rest is what could be read of it), and is empty where it can. `additions` are those that
    stacktui made and that are there, `lost` those that were there once. `repairable` are the paths
    of files that `certificates repair` puts right.
    """

    store: Store
    count: int = 0
    expired: tuple[Certificate, ...] = ()
    unreadable: tuple[str, ...] = ()
    problem: str = ""
    lost: tuple[LostAddition, ...] = ()
    additions: tuple[Certificate, ...] = ()
    repairable: tuple[str, ...] = ()


def find_stores(ca: Path | None, own_bundle: Path, *, ask: bool = True) -> tuple[Store, ...]:
    """Return the stores of this machine, first the one in use for an environment with this `ca`.

    Stores that do not exist are left out, unless a variable names them. Blocks on disk, and with
    `ask` on `az --version` (see `find_azure_clis`). Never raises.
    """
    return tuple(_found(ca, own_bundle, ask))


def _found(ca: Path | None, own_bundle: Path, ask: bool) -> Iterator[Store]:
    yield Store(StoreKind.IN_USE, "in use", ca_sources(ca, own_bundle).sources)
    if os.path.exists(own_bundle):
        yield _store(StoreKind.OWN, "own bundle", own_bundle)
    yield _store(StoreKind.CERTIFI, "certifi", certifi.where())
    for cli in find_azure_clis(ask=ask):
        name = f"az {cli.version}".rstrip()
        yield _store(StoreKind.AZ, name, cli.cacert, detail=escape_control_chars(str(cli.launcher)))
    for kind, variable in _VARIABLES.items():
        value = os.environ.get(variable, "")
        # OpenSSL takes several folders, but one file.
        paths = value.split(os.pathsep) if kind is StoreKind.SSL_DIR else [value]
        if any(paths):
            yield _store(kind, variable, *filter(None, paths))
    if system := system_paths(ssl.get_default_verify_paths()):
        yield _store(StoreKind.SYSTEM, "system", *system)
    if _may_exist(WAAGENT):
        yield _store(StoreKind.WAAGENT, "waagent", WAAGENT)


_VARIABLES = {
    StoreKind.REQUESTS: "REQUESTS_CA_BUNDLE",
    StoreKind.CURL: "CURL_CA_BUNDLE",
    StoreKind.SSL_FILE: "SSL_CERT_FILE",
    StoreKind.SSL_DIR: "SSL_CERT_DIR",
}


def _store(kind: StoreKind, name: str, *paths: Path | str, detail: str = "") -> Store:
    return Store(kind, name, tuple(TrustSource(name, str(path)) for path in paths), detail)


def system_paths(
    defaults: ssl.DefaultVerifyPaths, bundles: Sequence[str] = SYSTEM_BUNDLES
) -> tuple[str, ...]:
    """Return OpenSSL's default file and folder, as far as they exist; ignores SSL_CERT_FILE.

    If OpenSSL was built for another system and has neither, returns the first of `bundles` that
    exists.
    """
    found = []
    if os.path.isfile(defaults.openssl_cafile):
        found.append(defaults.openssl_cafile)
    if any(HASHED.match(name) for name in _listed(defaults.openssl_capath)):
        found.append(defaults.openssl_capath)
    return tuple(found) or tuple(islice(filter(os.path.isfile, bundles), 1))


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        if is_exhaustion(error):
            raise
        return []


def _may_exist(path: Path) -> bool:
    """Return whether a file exists, or is in a folder that we may not read."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def store_context(store: Store) -> ssl.SSLContext:
    """Return a verifying client context with this store alone.

    Stores of equal content share a context. Blocks on disk and on OpenSSL's parsing, so call it in
    a thread; it is thread-safe. Raises TrustFileError.
    """
    sources, key = _counting(store)
    slot = _slot(key)
    with slot.lock:  # a second caller waits for the first one's work
        if slot.context is not None:
            return slot.context
        if store.kind is StoreKind.IN_USE and not any(map(_is_folder, sources)):
            # The check has built it already, or will need it. What changes inside a folder it
            # does not see.
            context = build_context(TrustUsed(sources))
        else:
            context = new_context(sources)
        if _counting(store) == (sources, key):  # else it changed meanwhile, and is of neither
            slot.context = context
        return context


def read_stores(stores: Sequence[Store], now: datetime) -> tuple[StoreState, ...]:
    """Return the content of each store, and what has expired before `now`. Never raises.

    Loads each store as OpenSSL does, and parses each certificate once for all stores. Blocks, so
    call it in a thread.
    """
    lost = lost_additions()
    return tuple(_read(store, now, lost) for store in stores)


def _read(store: Store, now: datetime, lost: Sequence[LostAddition]) -> StoreState:
    from stacktui.certificates.chain import describe

    problem, loaded = "", None
    try:
        context = store_context(store)
        if not any(map(_is_folder, store.sources)):  # what is in a folder is loaded as it is needed
            loaded = frozenset(context.get_ca_certs(binary_form=True))
    except TrustFileError as error:
        problem = str(error)
    found: dict[bytes, Certificate] = {}
    additions: dict[bytes, Certificate] = {}
    unreadable: list[str] = []
    repairable: list[str] = []
    for source in store.sources:
        try:
            _of_a_kind(source, store.kind)
            content = content_of(source)
        except TrustFileError as error:
            unreadable += [str(error)] if str(error) != problem else []
            continue
        repairable += [source.path] if content.repairable else []
        unreadable += () if content.repairable and problem else content.unreadable
        for entry in content.entries:
            certificate = describe(entry.der)
            if certificate.unreadable:
                unreadable.append(f"{entry.place}: {certificate.unreadable}")
            elif loaded is not None and _signs(certificate) and entry.der not in loaded:
                unreadable.append(
                    f"{entry.place}: OpenSSL passes over it, as it does not start a line"
                )
            else:
                found[entry.der] = certificate
        additions |= {der: describe(der) for der in content.additions}
    if not found and not problem:
        problem = f"{store.path} has no certificate that OpenSSL would find: {_WANTED}"
    return StoreState(
        store,
        len(found),
        tuple(each for each in found.values() if each.not_after and each.not_after < now),
        _shortened(unreadable),
        problem,
        _lost(store, lost),
        tuple(additions.values()),
        tuple(repairable),
    )


def _signs(certificate: Certificate) -> bool:
    """Whether `SSLContext.get_ca_certs` lists it once it is loaded."""

    usage = certificate.key_usage
    return certificate.is_ca and (usage is None or "keyCertSign" in usage)


_WANTED = "it reads PEM files named by a hash, as `openssl rehash` makes them"


def _shortened(lines: Sequence[str]) -> tuple[str, ...]:
    more = len(lines) - MAX_UNREADABLE
    shown = [escape_control_chars(line) for line in lines[:MAX_UNREADABLE]]
    return (*shown, f"and {more} more") if more > 0 else tuple(shown)


def _lost(store: Store, lost: Sequence[LostAddition]) -> tuple[LostAddition, ...]:
    places = {_place(source.path) for source in store.sources} if lost else set()
    return tuple(each for each in lost if _place(str(each.path)) in places)


def _place(path: str) -> str:
    """A path less its Python's version: an upgrade to another takes additions away too."""
    return re.sub(r"python3\.\d+", "python3", os.path.realpath(path))


@dataclass(slots=True)
class _Slot:
    """A cached context, and the lock of the thread that builds it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    context: ssl.SSLContext | None = None


_taking = threading.Lock()
_slots: dict[tuple[object, ...], _Slot] = {}


def _slot(key: tuple[object, ...]) -> _Slot:
    with _taking:
        slot = _slots.setdefault(key, _Slot())
        while len(_slots) > _KEPT:
            del _slots[next(iter(_slots))]
        return slot


def _counting(store: Store) -> tuple[tuple[TrustSource, ...], tuple[object, ...]]:
    """Return the sources that OpenSSL would use, and keys that identify their content.
    Raises TrustFileError.
    """
    found, fault = [], None
    for source in store.sources:
        try:
            _of_a_kind(source, store.kind)
            found.append((source, identity_of(source)))
        except TrustFileError as error:
            if store.kind is not StoreKind.SSL_DIR:
                raise
            fault = error  # of several folders OpenSSL passes over those that are not there
    if fault is not None and not found:
        raise fault
    return tuple(source for source, _ in found), tuple(identity for _, identity in found)


def _is_folder(source: TrustSource) -> bool:
    return os.path.isdir(source.path)


def _of_a_kind(source: TrustSource, kind: StoreKind) -> None:
    """Raise TrustFileError for a file or a folder where OpenSSL needs the other."""
    stamp_of(source)  # it is there
    folder = _is_folder(source)
    if folder and kind is StoreKind.SSL_FILE:
        raise source_error(source, FileProblem.UNREADABLE, "it is a directory")
    if not folder and kind is StoreKind.SSL_DIR:
        raise source_error(source, FileProblem.UNREADABLE, "it is not a directory")
