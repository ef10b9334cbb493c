"""The trust matrix: every endpoint's chain verified with every trust store of this machine.

Each cell is OpenSSL's verdict on the chain with that store alone (`verify`). Nothing here makes a
connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from stacktui.certificates.scan import EndpointChain
from stacktui.certificates.stores import Store, store_context
from stacktui.certificates.trust import TrustFileError
from stacktui.certificates.verify import ROOTLESS, Verification, verify

# OpenSSL releases the GIL while it verifies a chain.
THREADS = 4


@dataclass(frozen=True, slots=True)
class Column:
    """A loaded trust store; `problem` says in one line why it cannot be loaded, else is empty."""

    store: Store
    context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """`cells` has a row for each endpoint and in it a cell for each column.

    A cell is None if there is no chain, or the store cannot be loaded.
    """

    rows: tuple[EndpointChain, ...]
    columns: tuple[Column, ...]
    cells: tuple[tuple[Verification | None, ...], ...]

    @property
    def verdicts(self) -> tuple[tuple[EndpointChain, Verification | None], ...]:
        """Each endpoint with the verdict of the first store, the one in use."""
        return tuple((row, cells[0]) for row, cells in zip(self.rows, self.cells, strict=True))

    def cell(self, row: EndpointChain, column: Column) -> Verification | None:
        return self.cells[self.rows.index(row)][self.columns.index(column)]


def load_column(store: Store) -> Column:
    """Load one store. Blocks on disk and on parsing."""
    try:
        return Column(store, store_context(store))
    except TrustFileError as error:
        return Column(store, None, str(error))


def build_matrix(rows: Sequence[EndpointChain], columns: Sequence[Column]) -> Matrix:
    """Verify every chain with every store. Blocks; several threads share the work."""
    with ThreadPoolExecutor(max_workers=THREADS) as threads:
        judged = list(threads.map(lambda column: _judge_column(rows, column), columns))
    return Matrix(tuple(rows), tuple(columns), tuple(zip(*judged, strict=True)))


def _judge_column(rows: Sequence[EndpointChain], column: Column) -> tuple[Verification | None, ...]:
    rootless: dict[tuple[bytes, ...], Verification] = {}
    return tuple(_cell(row, column, rootless) for row in rows)


def _cell(
    row: EndpointChain, column: Column, rootless: dict[tuple[bytes, ...], Verification]
) -> Verification | None:
    if column.context is None or not row.chain:
        return None
    if (known := rootless.get(row.chain)) is not None:
        return known
    found = verify(row.chain, row.endpoint.host, column.context)
    # OpenSSL searches the root first (build_chain). Without one it checks neither name nor dates,
    # so the verdict is the same for every host with this chain.
    if found.code in ROOTLESS:
        rootless[row.chain] = found
    return found
