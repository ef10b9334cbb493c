"""What is recorded of a stamp when it is met for the first time, or accepted as it is now."""

from __future__ import annotations

from datetime import UTC, datetime

from stacktui.check.pinning import record_of
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.transport.proxy import ProxyUsed
from stacktui.transport.records import ConnectionFacts, Exchange, TlsFacts
from tests.support.authority import authority, localhost

WEST = Environment("West", "https://management.west.example")
WHEN = datetime(2026, 5, 3, 8, 0, 12, tzinfo=UTC)
METADATA = Metadata(
    "2015-01-01", "https://adfs.west.example/adfs", "https://arm/1", IdentityProvider.ADFS
)


def exchange(*chain: bytes) -> Exchange:
    tls = TlsFacts("management.west.example", chain=chain) if chain else None
    connection = ConnectionFacts("management.west.example", 443, ProxyUsed(None, ""), tls=tls)
    return Exchange("GET", WEST.arm, connection, None, ())


def test_the_end_of_the_chain_is_recorded() -> None:
    chain = (localhost().der, authority().intermediate.der, authority().root.der)
    record = record_of(WEST, METADATA, [exchange(), exchange(*chain)], WHEN)
    assert record.path_end == chain[-1]


def test_without_a_chain_no_end_of_it_is_recorded() -> None:
    assert record_of(WEST, METADATA, [exchange()], WHEN).path_end == b""
    assert record_of(WEST, METADATA, [], WHEN).path_end == b""
