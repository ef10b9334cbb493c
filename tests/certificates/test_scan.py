"""Looking at every endpoint of a stamp: what is seen, what is absent, what is not sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stacktui.certificates.scan import EndpointChain, ScanProgress, ScanResult, scan, scan_one
from stacktui.certificates.trust import TrustUsed, ca_sources
from stacktui.environments.endpoints import arm_endpoint
from stacktui.environments.model import Environment
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from stacktui.transport.records import TransportFaultKind
from tests.support.authority import localhost_server
from tests.support.listeners import closed_port, listening, silent, until_closed

# Whose names are in no hosts file.
DOMAIN = "east.contoso.invalid"
NONE = Path("/nonexistent/bundle.pem")
QUICK = Limits(dns=2, connect=0.5, tls=0.5, first_byte=0.5, step=1)


def environment(stamp: RunningStamp, **changes: object) -> Environment:
    values = {"ca": Path(stamp.ca_file), "proxy": "none", "resolve": stamp.resolve, "limits": QUICK}
    values |= changes
    return Environment("Test", stamp.arm_url, **values)  # type: ignore[arg-type]


def trust(stamp: RunningStamp) -> TrustUsed:
    return ca_sources(Path(stamp.ca_file), NONE)


async def finished(events: AsyncIterator[object]) -> tuple[ScanResult, list[ScanProgress]]:
    progress = []
    async for event in events:
        if isinstance(event, ScanResult):
            return event, progress
        assert isinstance(event, ScanProgress)
        progress.append(event)
    raise AssertionError("no scan")


async def scanned(stamp: RunningStamp, *, whole: bool = False) -> ScanResult:
    found, progress = await finished(scan(environment(stamp), trust(stamp), whole=whole))
    assert [each.done for each in progress] == list(range(1, len(found.presented) + 1))
    assert {each.known for each in progress} == {len(found.presented)}
    assert all(len(each.waiting) <= each.known - each.done for each in progress)
    return found


def by_role(found: ScanResult) -> dict[str, EndpointChain]:
    return {each.endpoint.role: each for each in found.presented}


@pytest.mark.parametrize("idp", IdentityProvider)
async def test_the_four_endpoints_of_a_healthy_stamp(idp: IdentityProvider) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, idp=idp)) as stamp:
        found = await scanned(stamp)
        assert list(by_role(found)) == ["ARM", "login", "graph", "portal"]
        assert all(len(each.chain) == 2 and each.fault is None for each in found.presented)
        assert found.no_metadata == ""
        # One question was asked, without a token; every other host was only probed.
        assert [(each.path, each.authorized) for each in stamp.requests] == [
            ("/metadata/endpoints", False)
        ]


async def test_every_name_of_the_stamp() -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, idp=IdentityProvider.ADFS)) as stamp:
        found = await scanned(stamp, whole=True)
        assert len(found.presented) == 13
        assert all(each.chain for each in found.presented)


async def test_hosts_that_this_stamp_does_not_have_are_absent() -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, idp=IdentityProvider.ADFS)) as stamp:
        known = {pin: to for pin, to in stamp.resolve.items() if "hosting" not in pin}
        found, _ = await finished(scan(environment(stamp, resolve=known), trust(stamp), whole=True))
    absent = {each.endpoint.role for each in found.presented if each.absent}
    assert absent == {"*.hosting", "*.adminhosting"}
    assert not any(each.chain for each in found.presented if each.absent)


async def test_a_guessed_host_that_refuses_is_absent_and_a_named_one_is_a_problem() -> None:
    options = StampOptions(domain=DOMAIN, idp=IdentityProvider.ADFS)
    with run_in_thread(options) as stamp, closed_port() as port:
        refused = {
            pin: f"127.0.0.1:{port}" if "hosting" in pin or "portal" in pin else to
            for pin, to in stamp.resolve.items()
        }
        changed = environment(stamp, resolve=refused)
        found, _ = await finished(scan(changed, trust(stamp), whole=True))
    rows = [each for each in found.presented if not each.chain]
    assert {each.fault.kind for each in rows if each.fault} == {TransportFaultKind.TCP_REFUSED}
    absent = {each.endpoint.role for each in rows if each.absent}
    assert absent == {"*.hosting", "*.adminhosting", "adminportal"}
    assert {each.why_absent for each in rows if each.absent} == {"nothing listens there"}
    assert "portal" in {each.endpoint.role for each in rows if not each.absent}


async def test_without_any_dns_nothing_is_called_absent() -> None:
    nowhere = Environment(
        "Test", "https://management.east.contoso.invalid", proxy="none", limits=QUICK
    )
    found, _ = await finished(scan(nowhere, ca_sources(None, NONE)))
    kinds = {each.fault.kind for each in found.presented if each.fault}
    assert kinds == {TransportFaultKind.DNS_NOT_FOUND}
    assert not any(each.absent for each in found.presented)
    assert "management.east.contoso.invalid" in found.no_metadata


CERTIFICATE_FAULTS = (
    "tls-untrusted-root", "tls-missing-intermediate", "tls-self-signed", "tls-intercepted",
    "tls-expired", "tls-not-yet-valid", "tls-name-mismatch",
)  # fmt: skip


@pytest.mark.parametrize("fault", CERTIFICATE_FAULTS)
async def test_a_chain_that_does_not_verify_is_seen_all_the_same(fault: str) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, fault=fault)) as stamp:
        found = await scanned(stamp)
        roles = by_role(found)
        assert roles["ARM"].chain
        assert roles["ARM"].chain == roles["portal"].chain
        assert roles["ARM"].fault is None
        assert found.no_metadata
        # What does not verify is told nothing.
        assert stamp.requests == ()


@pytest.mark.parametrize("fault", ["trust-file-missing", "trust-file-bad"])
async def test_an_unusable_trust_file_hides_no_chain(fault: str) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        found = await scanned(stamp)
        assert found.presented[0].chain
        assert stamp.ca_file in found.no_metadata
        assert stamp.requests == ()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("tcp-refused", TransportFaultKind.TCP_REFUSED),
        ("tls-not-tls", TransportFaultKind.TLS_NOT_TLS),
        ("tls-timeout", TransportFaultKind.TLS_TIMEOUT),
    ],
)
async def test_a_host_that_presents_nothing_says_why(fault: str, kind: TransportFaultKind) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        arm = (await scanned(stamp)).presented[0]
        assert arm.chain == ()
        assert arm.fault is not None
        assert arm.fault.kind is kind
        assert not arm.absent


async def test_a_server_error_hides_no_chain() -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, fault="metadata-server-error")) as stamp:
        found = await scanned(stamp)
        assert by_role(found)["ARM"].chain
        assert "500" in found.no_metadata


async def test_a_silent_stamp_ends_within_its_bounds() -> None:
    async with listening(silent) as server:
        quiet = Environment("Test", server.url, proxy="none", limits=QUICK)
        started = time.perf_counter()
        found, _ = await finished(scan(quiet, ca_sources(None, NONE)))
        assert time.perf_counter() - started < 4
        assert found.presented[0].fault is not None


async def test_leaving_early_ends_every_connection() -> None:
    async with listening(silent) as server:
        quiet = Environment("Test", server.url, proxy="none", limits=QUICK)
        events = scan(quiet, ca_sources(None, NONE))
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.wait_for(server.arrived.wait(), 5)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await events.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.all_closed.wait(), 2)


async def test_one_host_alone_is_scanned_in_silence() -> None:
    said: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        said.append(await reader.read(1))
        await until_closed(reader)

    async with listening(hear, context=localhost_server()) as server:
        at = Environment("Test", server.url, proxy="none")
        found = await scan_one(at, ca_sources(None, NONE), arm_endpoint(at))
        await asyncio.wait_for(server.all_closed.wait(), 2)
    assert len(found.chain) == 2
    assert said == [b""]
