"""The check as its watchers see it: events in order, outcomes as data, ends when told to."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.check import events as seen
from stacktui.check.events import CheckEvent
from stacktui.check.report import Report, StepOutcome
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.step_names import STANDING, StepName
from stacktui.check.target import CheckTarget
from stacktui.identities.token_source import TokenSource
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.records import PhaseName, TransportFault, TransportFaultKind
from tests.product import write_config

DOMAIN = "local.azurestack.external"


def target_of(stamp: RunningStamp, folder: Path, **replaced: str) -> CheckTarget:
    return load_settings(write_config(folder, stamp.describe(), **replaced)).target()


def limited(target: CheckTarget, **limits: float) -> CheckTarget:
    environment = target.environment
    changed = environment.limits.with_settings(limits)
    return replace(target, environment=replace(environment, limits=changed))


async def collect(target: CheckTarget) -> list[CheckEvent]:
    return [event async for event in run(target)]


async def report_of(target: CheckTarget) -> Report:
    last = (await collect(target))[-1]
    assert isinstance(last, seen.CheckFinished)
    return last.report


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param, domain=DOMAIN, groups=7)) as running:
        yield running


async def test_events_come_in_the_order_they_promise(stamp: RunningStamp, tmp_path: Path) -> None:
    events = await collect(target_of(stamp, tmp_path))
    assert isinstance(events[0], seen.CheckStarted)
    assert isinstance(events[-1], seen.CheckFinished)
    open_step: str | None = None
    open_phase: PhaseName | None = None
    finished = []
    for event in events[1:-1]:
        match event:
            case seen.StepStarted(name=name):
                assert open_step is None
                open_step = name
            case seen.PhaseStarted(step=step, name=name):
                assert (step, open_phase) == (open_step, None)
                open_phase = name
            case seen.PhaseFinished(step=step, phase=phase):
                assert (step, phase.name) == (open_step, open_phase)
                assert phase.seconds >= 0
                open_phase = None
            case seen.StepFinished(step=step):
                assert (step.name, open_phase) == (open_step, None)
                finished.append(step.name)
                open_step = None
    assert finished == list(STANDING)


async def test_a_healthy_check_finds_what_the_stamp_is(stamp: RunningStamp, tmp_path: Path) -> None:
    report = await report_of(target_of(stamp, tmp_path))
    assert report.ok
    metadata = report.metadata
    assert metadata is not None
    assert metadata.login_endpoint == stamp.login_url.rstrip("/")
    assert metadata.audience == stamp.identity_provider_audience
    token = report.token
    assert token is not None
    assert token.audience == stamp.identity_provider_audience
    assert token.object_id == stamp.object_id
    groups = report.groups
    assert groups is not None
    assert (len(groups.groups), groups.subscription) == (7, stamp.subscription_id)


async def test_a_check_costs_a_connection_a_host(stamp: RunningStamp, tmp_path: Path) -> None:
    before = len(stamp.requests)
    report = await report_of(target_of(stamp, tmp_path))
    made = stamp.requests[before:]
    # Metadata and resource groups share ARM's; discovery and token share the login host's.
    assert len({request.connection for request in made}) == 2
    assert [request.method for request in made] == ["GET", "GET", "POST", "GET"]
    dials = [phase for step in report.steps for phase in step.phases if phase.name == "tls"]
    assert len(dials) == 2


async def test_phases_are_timed_apart_and_add_up(stamp: RunningStamp, tmp_path: Path) -> None:
    step = (await report_of(target_of(stamp, tmp_path))).step(StepName.METADATA)
    assert [phase.name.value for phase in step.phases] == [
        "dns", "tcp", "tls", "request", "first-byte", "body",
    ]  # fmt: skip
    assert sum(phase.seconds for phase in step.phases) <= step.seconds
    assert all(phase.ok for phase in step.phases)


async def test_the_chain_is_the_live_connections(stamp: RunningStamp, tmp_path: Path) -> None:
    report = await report_of(target_of(stamp, tmp_path))
    last = report.step(StepName.METADATA).evidence.last
    assert last is not None
    assert last.connection is not None
    assert last.connection.tls is not None
    assert len(last.connection.tls.chain) == 2  # leaf and intermediate, as the stamp sends
    assert not last.connection.tls.unverified_probe


async def test_without_an_identity_only_metadata_runs(stamp: RunningStamp, tmp_path: Path) -> None:
    target = replace(target_of(stamp, tmp_path), identity=None)
    report = await report_of(target)
    assert report.ok
    assert [step.outcome for step in report.steps] == ["ok", "skipped", "skipped"]
    assert "no identity" in report.step(StepName.TOKEN).evidence.skipped


async def test_the_first_enabled_subscription_is_found(stamp: RunningStamp, tmp_path: Path) -> None:
    report = await report_of(target_of(stamp, tmp_path, subscription=""))
    groups = report.groups
    assert groups is not None
    assert groups.subscription == stamp.subscription_id


async def test_a_certificate_signs_in(stamp: RunningStamp, tmp_path: Path) -> None:
    path = f'"{stamp.certificate_file}"'
    report = await report_of(target_of(stamp, tmp_path, secret="", certificate=path))
    assert report.ok, report.failed


async def test_adfs_without_default_scope_gets_openid(tmp_path: Path) -> None:
    options = StampOptions(idp=IdentityProvider.ADFS, adfs_default_scope=False)
    with run_in_thread(options) as stamp:
        report = await report_of(target_of(stamp, tmp_path))
    token = report.token
    assert token is not None
    assert token.scope == f"{stamp.identity_provider_audience}/openid"


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[CheckTarget]:
    with run_in_thread(StampOptions(latency=30)) as stamp:
        yield target_of(stamp, tmp_path)


async def test_a_silent_stamp_hits_the_first_byte_bound(slow: CheckTarget) -> None:
    report = await report_of(limited(slow, first_byte=0.3))
    fault = report.steps[0].evidence.fault
    assert isinstance(fault, TransportFault)
    assert fault.kind is TransportFaultKind.FIRST_BYTE_TIMEOUT
    assert (fault.setting, fault.limit) == ("first_byte", 0.3)
    assert report.steps[0].phases[-1].name is PhaseName.FIRST_BYTE
    assert not report.steps[0].phases[-1].ok
    assert report.seconds < 2


async def test_a_step_has_a_bound_of_its_own(slow: CheckTarget) -> None:
    report = await report_of(limited(slow, step=0.3))
    fault = report.steps[0].evidence.fault
    assert isinstance(fault, TransportFault)
    assert (fault.kind, fault.setting) == (TransportFaultKind.STEP_TIMEOUT, "step")
    assert f"https://{fault.host}:{fault.port}" == slow.environment.arm
    assert report.seconds < 2


async def test_cancelling_ends_a_check_at_once(slow: CheckTarget) -> None:
    waiting = asyncio.Event()

    async def consume() -> None:
        async for event in run(slow):
            if isinstance(event, seen.PhaseStarted) and event.name is PhaseName.FIRST_BYTE:
                waiting.set()

    task = asyncio.create_task(consume())
    await asyncio.wait_for(waiting.wait(), 10)
    started = time.perf_counter()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.perf_counter() - started < 0.2
    assert len(asyncio.all_tasks()) == 1


async def test_closing_the_iterator_ends_a_check_at_once(slow: CheckTarget) -> None:
    stream = run(slow)
    async for event in stream:
        if isinstance(event, seen.PhaseStarted) and event.name is PhaseName.FIRST_BYTE:
            break
    started = time.perf_counter()
    await stream.aclose()  # type: ignore[attr-defined]
    assert time.perf_counter() - started < 0.2
    assert len(asyncio.all_tasks()) == 1


async def test_a_failed_step_skips_the_later_ones_with_the_reason(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    report = await report_of(target_of(stamp, tmp_path, secret='{ env = "NOT_SET_ANYWHERE" }'))
    assert [step.outcome for step in report.steps] == [
        StepOutcome.OK, StepOutcome.FAILED, StepOutcome.SKIPPED,
    ]  # fmt: skip
    assert report.steps[2].evidence.skipped == "no token"


async def test_no_report_holds_a_secret(stamp: RunningStamp, tmp_path: Path) -> None:
    report = await report_of(target_of(stamp, tmp_path))
    shown = repr(report)
    assert stamp.secret not in shown
    assert "eyJ" not in shown


async def test_proxy_none_goes_round_the_variables(
    stamp: RunningStamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert (await report_of(target_of(stamp, tmp_path))).ok
    through = await report_of(target_of(stamp, tmp_path, proxy=""))
    fault = through.steps[0].evidence.fault
    assert isinstance(fault, TransportFault)
    assert fault.kind is TransportFaultKind.PROXY_UNREACHABLE


async def test_how_the_sign_in_ended_is_noted_for_others(tmp_path: Path) -> None:
    tokens = TokenSource()
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        target = target_of(stamp, tmp_path)
        identity = target.identity
        assert identity is not None
        for changed in (target, replace(target, identity=replace(identity, client_id="wrong"))):
            async for event in run(changed, tokens=tokens):
                last = event
            (noted,) = tokens.outcomes(identity.name)
            assert isinstance(last, seen.CheckFinished)
            evidence = last.report.step(StepName.TOKEN).evidence
            assert (noted.wanted.identity, noted.facts) == (changed.identity, evidence.result)
            assert noted.fault is evidence.fault
