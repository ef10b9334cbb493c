"""The state of a certificate scan, running or finished.

Light to import: the network stack and `cryptography` are imported with the first scan.
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
    """The loaded trust stores of this machine, the one in use first, and what each holds."""

    columns: tuple[Column, ...]
    states: tuple[StoreState, ...]


@dataclass(frozen=True, slots=True)
class EvaluatedScan:
    """A finished scan with its verdicts.

    `states` are in the order of the matrix's columns, `results` in that of its rows.
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
        """Each endpoint with its verdicts."""
        known = self.certificates
        return tuple(
            ScannedHost(seen, cells, results, known.get(seen.chain[0]) if seen.chain else None)
            for seen, cells, results in zip(
                self.matrix.rows, self.matrix.cells, self.results, strict=True
            )
        )


@dataclass(frozen=True, slots=True)
class ScannedHost:
    """One endpoint: `cells` are the verdicts by store, None without a chain or a usable store."""

    seen: EndpointChain
    cells: tuple[Verification | None, ...]
    results: tuple[RuleResult, ...]
    leaf: Certificate | None

    @property
    def verdict(self) -> Verification | None:
        """The verdict of the store in use."""
        return self.cells[0]


@dataclass(frozen=True, slots=True)
class LiveScan:
    """A scan so far: `done` of `known` endpoints; it waits for the hosts `waiting`.

    `began` and `ends`, when they are given up, are `time.monotonic()`. `error` describes an
    internal error.
    """

    target: CheckTarget
    whole: bool
    state: CheckState = CheckState.RUNNING
    done: int = 0
    known: int = 0
    began: float = 0.0
    waiting: tuple[str, ...] = ()
    ends: float = 0.0
    error: str = ""

    @property
    def running(self) -> bool:
        return self.state is CheckState.RUNNING
