"""Every chain before every store, and which root a chain leads to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stacktui.certificates.matrix import Column, build_matrix, load_column
from stacktui.certificates.roots import missing, root_of
from stacktui.certificates.scan import EndpointChain
from stacktui.certificates.stores import Store, StoreKind
from stacktui.certificates.trust import TrustSource
from stacktui.certificates.verify import verify
from stacktui.environments.endpoints import Endpoint
from stacktui.transport.proxy import ProxyUsed
from stacktui.transport.records import ConnectionFacts, TlsFacts
from tests.support.authority import STRANGERS, Issued, authority, issue

DAY = timedelta(days=1)
OURS = authority()
NAMES = ("a.example", "b.example", "*.c.example")
GOOD = OURS.leaf(*NAMES)
OLD = OURS.leaf(*NAMES, starts=-9 * DAY, ends=-DAY)
SELF_SIGNED = issue("a.example", NAMES, None)
CHAINS = {
    "good": (GOOD, OURS.intermediate),
    "with root": (GOOD, OURS.intermediate, OURS.root),
    "expired": (OLD, OURS.intermediate),
    "leaf only": (GOOD,),
    "self-signed": (SELF_SIGNED,),
}
HOSTS = ("a.example", "b.example", "x.c.example", "elsewhere.example")


def presented(host: str, *chain: Issued) -> EndpointChain:
    tls = TlsFacts(host, chain=tuple(each.der for each in chain))
    connection = ConnectionFacts(host, 443, ProxyUsed(None, "no proxy set"), tls=tls)
    return EndpointChain(Endpoint(("any",), host, 443, host), connection if chain else None)


def store(folder: Path, name: str, *held: Issued) -> Store:
    path = folder / f"{name}.pem"
    path.write_bytes(b"".join(each.pem for each in held))
    return Store(StoreKind.REQUESTS, name, (TrustSource(name, str(path)),))


def stores(folder: Path) -> list[Store]:
    return [
        store(folder, "ours", OURS.root),
        store(folder, "both", OURS.root, STRANGERS.root),
        store(folder, "strangers", STRANGERS.root),
        store(folder, "intermediate", OURS.intermediate),
        store(folder, "the leaf itself", GOOD),
    ]


def test_each_cell_is_what_a_verification_of_its_own_says(tmp_path: Path) -> None:
    """Also where the matrix does not ask again, since there is no root for the same chain."""
    rows = [presented(host, *chain) for chain in CHAINS.values() for host in HOSTS]
    columns = [load_column(each) for each in stores(tmp_path)]
    found = build_matrix(rows, columns)
    codes = set()
    for row, cells in zip(found.rows, found.cells, strict=True):
        for column, cell in zip(found.columns, cells, strict=True):
            assert column.context is not None
            assert cell == verify(row.chain, row.endpoint.host, column.context)
            codes.add(cell.code)
    assert {0, 2, 10, 18, 20, 62} <= codes


def test_where_there_is_nothing_to_judge(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    broken = load_column(Store(StoreKind.CURL, "broken", (TrustSource("X", str(empty)),)))
    assert broken.context is None
    assert str(empty) in broken.problem
    found = build_matrix([presented("a.example"), presented("a.example", GOOD)], [broken])
    assert found.cells == ((None,), (None,))
    assert build_matrix([], [broken]).cells == ()


def test_a_presented_root_is_the_root() -> None:
    found = root_of([each.der for each in CHAINS["with root"]])
    assert found is not None
    assert (found.der, found.where) == (OURS.root.der, None)


def test_a_root_that_is_not_presented_is_found_in_a_store(tmp_path: Path) -> None:
    places = stores(tmp_path)
    for chain in ("good", "expired"):
        found = root_of([each.der for each in CHAINS[chain]], places)
        assert found is not None
        assert found.der == OURS.root.der
        assert found.where == places[0]
    # Even the intermediate may be missing, if a store has both.
    whole = store(tmp_path, "whole", OURS.root, OURS.intermediate)
    found = root_of([GOOD.der], [places[2], whole])
    assert found is not None
    assert (found.der, found.where) == (OURS.root.der, whole)


@pytest.mark.parametrize("chain", ["good", "leaf only", "self-signed"])
def test_there_may_be_no_root_to_be_had(chain: str, tmp_path: Path) -> None:
    ders = [each.der for each in CHAINS[chain]]
    assert root_of(ders, [store(tmp_path, "strangers", STRANGERS.root)]) is None
    assert root_of(ders) is None


def test_a_namesake_is_not_the_root(tmp_path: Path) -> None:
    namesake = issue("Contoso Root CA", (), None)
    places = [store(tmp_path, "namesake", namesake)]
    assert root_of([each.der for each in CHAINS["good"]], places) is None


def test_what_is_missing_has_a_name() -> None:
    assert missing([GOOD.der]) == "Contoso Issuing CA"
    assert missing([GOOD.der, OURS.intermediate.der]) == "Contoso Root CA"
    assert missing([]) == ""


def test_a_column_shows_no_context(tmp_path: Path) -> None:
    column = load_column(stores(tmp_path)[0])
    assert isinstance(column, Column)
    assert "SSLContext" not in repr(column)
