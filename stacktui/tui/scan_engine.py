"""The functions of a scan that are slow to import or block."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import cast

from stacktui.certificates.chain import describe
from stacktui.certificates.document import readiness
from stacktui.certificates.matrix import build_matrix, load_column
from stacktui.certificates.scan import ScanEvent, ScanResult, chains
from stacktui.certificates.scan import scan as scan_endpoints
from stacktui.certificates.stores import find_stores, read_stores
from stacktui.check.target import CheckTarget
from stacktui.check.trust import target_ca_sources
from stacktui.config.locations import own_bundle
from stacktui.tui.scan_state import EvaluatedScan, Stores


def scan(target: CheckTarget, whole: bool) -> AsyncGenerator[ScanEvent, None]:
    """Scan the endpoints of the target's environment."""
    events = scan_endpoints(target.environment, target_ca_sources(target), whole=whole)
    return cast("AsyncGenerator[ScanEvent, None]", events)


def open_stores(target: CheckTarget) -> Stores:
    """Find, load and read every trust store of this machine."""
    now = datetime.now(UTC)
    stores = find_stores(target.environment.ca, own_bundle())
    columns = tuple(map(load_column, stores))
    return Stores(columns, read_stores(stores, now))


def evaluate(target: CheckTarget, whole: bool, found: ScanResult, stores: Stores) -> EvaluatedScan:
    """Verify every chain with every store, apply the readiness rules, parse all certificates."""
    matrix = build_matrix(found.presented, stores.columns)
    return EvaluatedScan(
        target,
        whole,
        found,
        matrix,
        stores.states,
        tuple(readiness(found, row, cell) for row, cell in matrix.verdicts),
        {der: describe(der) for der in chains(found.presented)},
    )
