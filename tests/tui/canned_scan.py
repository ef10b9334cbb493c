"""Looks as values, with fixed times: a stamp that has a little of everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from hashlib import sha256
from pathlib import Path

from stacktui.certificates.additions import LostAddition
from stacktui.certificates.levels import Level
from stacktui.certificates.matrix import Column, Matrix
from stacktui.certificates.readiness import RuleResult
from stacktui.certificates.scan import EndpointChain, ScanEvent, ScanProgress, ScanResult
from stacktui.certificates.stores import Store, StoreKind, StoreState
from stacktui.certificates.trust import TrustSource
from stacktui.certificates.verify import Verification
from stacktui.check.target import CheckTarget
from stacktui.environments.endpoints import Endpoint
from stacktui.transport.records import TransportFault, TransportFaultKind
from stacktui.tui.scan_runner import ScanEngine
from stacktui.tui.scan_state import EvaluatedScan, Stores

from . import canned
from .canned import STARTED, TRUST, connection, describe

DOMAIN = "local.azurestack.external"
UNKNOWN = Verification(20, "unable to get local issuer certificate")
TRUSTED = Verification(0)


def named(style: str, host: str) -> Endpoint:
    return Endpoint((style,), host, 443, host, named=True)


def derived(label: str) -> Endpoint:
    name = f"{label}.{DOMAIN}"
    return Endpoint((label,), name.replace("*", "stacktui-probe"), 443, name)


BASIC = (
    named("ARM", canned.ARM),
    named("login", canned.LOGIN),
    named("graph", f"graph.{DOMAIN}"),
    named("portal", f"portal.{DOMAIN}"),
)
WHOLE = (
    *BASIC,
    *map(
        derived,
        ("adminportal", "adminmanagement", "*.blob", "*.table", "*.queue", "*.vault",
         "*.adminvault", "*.hosting", "*.adminhosting"),
    ),
)  # fmt: skip
ABSENT = ("*.hosting", "*.adminhosting")


def presented(endpoint: Endpoint) -> EndpointChain:
    """The portal is silent, and there is no App Service; everybody else presents a chain."""
    if endpoint.roles[0] in ABSENT:
        return EndpointChain(endpoint, None, fault(endpoint, "there is no such name"), absent=True)
    if endpoint.roles[0] == "portal":
        kind = TransportFaultKind.TLS_TIMEOUT
        return EndpointChain(endpoint, None, fault(endpoint, "no TLS answer within 5 s", kind))
    return EndpointChain(endpoint, connection(endpoint.host))


def fault(
    endpoint: Endpoint, detail: str, kind: TransportFaultKind = TransportFaultKind.DNS_NOT_FOUND
) -> TransportFault:
    return TransportFault(kind, endpoint.host, endpoint.port, detail)


def store(kind: StoreKind, name: str, path: str, detail: str = "") -> Store:
    return Store(kind, name, (TrustSource(name, path),), detail)


STORES = (
    Store(StoreKind.IN_USE, "in use", TRUST.sources),
    store(StoreKind.OWN, "own bundle", "/home/ops/.config/stacktui/ca-bundle.pem"),
    store(StoreKind.CERTIFI, "certifi", "/opt/stacktui/certifi/cacert.pem"),
    store(StoreKind.AZ, "az 2.66.2",
          "/opt/az/lib/python3.11/site-packages/certifi/cacert.pem", "/usr/bin/az"),
    store(StoreKind.REQUESTS, "REQUESTS_CA_BUNDLE", "/etc/contoso/roots.pem"),
    store(StoreKind.SYSTEM, "system", "/etc/ssl/certs/ca-certificates.crt"),
    store(StoreKind.WAAGENT, "waagent", "/var/lib/waagent/Certificates.pem"),
)  # fmt: skip
LOST = LostAddition(
    Path("/opt/az/lib/python3.11/site-packages/certifi/cacert.pem"),
    sha256(b"root").hexdigest(),
    "CN=AzureStackSelfSignedRootCert",
    gone=False,
)
STATES = (
    StoreState(STORES[0], 143),
    StoreState(STORES[1], 1, additions=(describe(b"root"),)),
    StoreState(STORES[2], 142),
    StoreState(STORES[3], 141, lost=(LOST,)),
    StoreState(
        STORES[4], problem="REQUESTS_CA_BUNDLE names /etc/contoso/roots.pem, which is not there"
    ),
    StoreState(STORES[5], 146, expired=(describe(b"issuing ca"),)),
    StoreState(STORES[6], 2),
)  # fmt: skip
# Whom each store trusts: in use, own and waagent have the stamp's root; nobody loads the fifth.
GOOD = (TRUSTED, TRUSTED, UNKNOWN, UNKNOWN, None, UNKNOWN, TRUSTED)
BAD = (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, None, UNKNOWN, UNKNOWN)


def cells(seen: EndpointChain, count: int) -> tuple[Verification | None, ...]:
    """The graph host has another root, which nobody knows."""
    if not seen.chain:
        return (None,) * count
    return (BAD if seen.endpoint.roles[0] == "graph" else GOOD)[:count]


def results(seen: EndpointChain) -> tuple[RuleResult, ...]:
    if seen.endpoint.roles[0] == "ARM":
        text = "25 days left, until 2026-12-16"
        return (RuleResult("expiry", Level.CRITICAL, text, "renew it before it ends"),)
    if seen.endpoint.roles[0] == "login":
        text = "without clientAuth; it has serverAuth"
        remedy = "have it issued for serverAuth and clientAuth"
        return (RuleResult("extended-key-usage", Level.FAIL, text, remedy),)
    return ()


def scans(
    endpoints: Sequence[Endpoint] | None = None, *, hangs: bool = False, no_metadata: str = ""
) -> Callable[[], ScanEngine]:
    """An engine whose scans see these endpoints, or hang before the last of them."""

    async def scan(target: CheckTarget, whole: bool) -> AsyncGenerator[ScanEvent, None]:
        listed = endpoints if endpoints is not None else WHOLE if whole else BASIC
        found = tuple(map(presented, listed))
        for done, each in enumerate(found, 1):
            if hangs and done == len(found):
                await asyncio.Event().wait()
            waiting = tuple(other.endpoint.name for other in found[done:])
            yield ScanProgress(done, len(found), each, waiting, ends=16.2)
        yield ScanResult(target.environment, STARTED, TRUST, found, no_metadata)

    def evaluate(
        target: CheckTarget, whole: bool, found: ScanResult, stores: Stores
    ) -> EvaluatedScan:
        count = len(stores.columns)
        rows = found.presented
        matrix = Matrix(rows, stores.columns, tuple(cells(each, count) for each in rows))
        return EvaluatedScan(
            target,
            whole,
            found,
            matrix,
            stores.states,
            tuple(results(each) if each.chain else () for each in rows),
            {der: describe(der) for each in rows for der in each.chain},
        )

    return lambda: ScanEngine(scan, lambda target: canned_stores(), evaluate)


def canned_stores() -> Stores:
    return Stores(tuple(Column(state.store, None, state.problem) for state in STATES), STATES)
