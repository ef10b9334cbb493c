"""The state of a scan of the certificates, running or finished.

Light to import; the network and the certificate library come with the first scan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stacktui.tui.check_state import CheckState

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.matrix import Column, Matrix
    from stacktui.certificates.readiness import RuleResult
    from stacktui.certificates.scan import EndpointChain, ScanResult
    from stacktui.certificates.stores import StoreState
    from stacktui.certificates.verify import Verification
    from stacktui.check.target import CheckTarget


@dataclass(frozen=True, slots=True)
class Stores:
    """The trust stores of this machine, loaded: the one in use first, each with what it holds."""

    columns: tuple[Column, ...]
    states: tuple[StoreState, ...]


@dataclass(frozen=True, slots=True)
class EvaluatedScan:
    """A finished scan, evaluated.

    `states` are in the order of the matrix's columns, `results` in that of its rows;
    `certificates` are all that were presented, by their DER.
    """

    target: CheckTarget
    whole: bool
    scan: ScanResult
    matrix: Matrix
    states: tuple[StoreState, ...]
    results: tuple[tuple[RuleResult, ...], ...]
    certificates: Mapping[bytes, Certificate]

    @property
    def rows(self) -> tuple[ScannedHost, ...]:
        """Each endpoint with what is said of it."""
        known = self.certificates
        return tuple(
            ScannedHost(seen, cells, results, known.get(seen.chain[0]) if seen.chain else None)
            for seen, cells, results in zip(
                self.matrix.rows, self.matrix.cells, self.results, strict=True
            )
        )


@dataclass(frozen=True, slots=True)
class ScannedHost:
    """One endpoint: `cells` by store, None where there was nothing to judge."""

    seen: EndpointChain
    cells: tuple[Verification | None, ...]
    results: tuple[RuleResult, ...]
    leaf: Certificate | None

    @property
    def verdict(self) -> Verification | None:
        """Of the store in use."""
        return self.cells[0]


@dataclass(frozen=True, slots=True)
class LiveScan:
    """A scan so far: `done` of `known` endpoints. `error` tells of an internal error."""

    target: CheckTarget
    whole: bool
    state: CheckState = CheckState.RUNNING
    done: int = 0
    known: int = 0
    error: str = ""

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING
