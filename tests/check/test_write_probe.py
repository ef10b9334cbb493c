"""The write probe: what it makes goes away again, or it is said what is left, whatever fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from stacktui.check import probe_group, write_probe
from stacktui.check.events import CheckFinished
from stacktui.check.report import Report
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.step_names import STANDING
from stacktui.check.target import CheckTarget
from stacktui.check.write_probe import (
    PREFIX,
    TAG,
    ProbeLeftovers,
    ProbeState,
    WriteProbe,
    made_at,
    new_group_name,
    probe_tags,
)
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import report_document
from stacktui.diagnosis.finding import Finding
from stacktui.resources.groups import group_path
from stacktui.resources.model import ResourceGroup
from stacktui.resources.operations import remembered
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from tests.diagnosis.schema import validate
from tests.product import write_config
from tests.resources.test_client import error
from tests.resources.test_retry import GROUP, patient
from tests.resources.walks import arm_of
from tests.support.web import Raw, answer, serving

QUICK = Limits(step=3, first_byte=0.5, probe=3)
# The requests of a probe, as the stamp's faults name them.
REQUESTS = {
    "locations": "GET */locations",
    "create": "PUT */resourcegroups/*",
    "read": "GET */resourcegroups/*",
    "delete": "DELETE */resourcegroups/*",
    "poll": "GET */operationresults/*",
}
SAMPLE = ("drop", "reset-after", "throttle:0", "500", "408-after")
AFTER = ("drop-after", "500-after", "504-after", "hang-after", "cut")
OTHER = ("reset", "502", "503:0", "504", "hang", "401")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=1, retry_after=0, delete_seconds=0.15)) as stamp:
        yield stamp


@pytest.fixture
def stamp(running: RunningStamp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    monkeypatch.setattr(probe_group, "PAUSE", 0.05)
    running.fault_at()
    yield running
    running.fault_at()


def target_of(stamp: RunningStamp, folder: Path, limits: Limits = QUICK) -> CheckTarget:
    target = load_settings(write_config(folder, stamp.describe())).target()
    environment = replace(target.environment, limits=limits)
    return replace(target, environment=environment, write_probe=new_group_name())


async def checked(target: CheckTarget) -> Report:
    last = [event async for event in run(target)][-1]
    assert isinstance(last, CheckFinished)
    validate(report_document(last.report, diagnose(last.report)))
    return last.report


async def is_there(stamp: RunningStamp, name: str) -> bool:
    """Whether a group is there and nobody deletes it."""
    async with arm_of(stamp) as (client, _):
        response = await client.request(
            "GET", f"/subscriptions/{stamp.subscription_id}/resourcegroups"
        )
        rows = response.document["value"]
    states = {each["name"]: each["properties"]["provisioningState"] for each in rows}
    return states.get(name, "Deleting") != "Deleting"


def advisory(report: Report) -> Finding | None:
    found = [each for each in diagnose(report).also_seen if each.id == "probe-leftover"]
    return found[0] if found else None


def probe_of(report: Report) -> WriteProbe:
    probe = report.result(WriteProbe)
    assert probe is not None
    return probe


async def test_a_check_writes_only_where_it_is_asked_to(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    target = target_of(stamp, tmp_path)
    report = await checked(replace(target, write_probe=""))
    assert [step.name for step in report.steps] == list(STANDING)
    report = await checked(target)
    assert [step.name for step in report.steps] == [*STANDING, "write-probe"]
    assert report.ok
    probe = probe_of(report)
    assert (probe.group, probe.state, probe.location) == (target.write_probe, "deleted", "local")
    assert None not in (probe.created, probe.read, probe.deleted)
    assert advisory(report) is None
    assert not await is_there(stamp, probe.group)


async def test_a_deletion_that_goes_on_is_a_success_that_is_said(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=1, retry_after=0, delete_seconds=30)) as slow:
        target = target_of(slow, tmp_path, replace(QUICK, probe=0.2))
        report = await checked(target)
        assert (report.ok, probe_of(report).state) == (True, ProbeState.DELETING)
        assert "goes on: the next write probe looks" in str(probe_of(report))
        assert advisory(report) is None
        (kept,) = remembered(target.config, target.environment)
        assert (kept.group, kept.subscription) == (target.write_probe, slow.subscription_id)
        again = probe_of(await checked(replace(target, write_probe=new_group_name())))
        assert again.earlier == (target.write_probe,)
        assert f"still being deleted: {target.write_probe}" in str(again)


@pytest.mark.parametrize("end", [204, 404])
async def test_the_group_decides_whatever_the_operation_ends_with(end: int, tmp_path: Path) -> None:
    options = StampOptions(groups=1, retry_after=0, delete_seconds=0.1, operation_end=end)
    with run_in_thread(options) as stamp:
        report = await checked(target_of(stamp, tmp_path))
    assert (report.ok, probe_of(report).state) == (True, ProbeState.DELETED)


async def test_a_deletion_that_fails_is_a_fault_and_what_is_left_is_said(tmp_path: Path) -> None:
    options = StampOptions(groups=1, retry_after=0, delete_seconds=0, operation_end=409)
    with run_in_thread(options) as stamp:
        target = target_of(stamp, tmp_path)
        report = await checked(target)
        assert await is_there(stamp, target.write_probe)
    assert probe_of(report).state is ProbeState.LEFT
    verdict = diagnose(report).verdict
    assert verdict is not None
    assert verdict.id == "write-refused"
    assert str(probe_of(report)) in verdict.evidence
    found = advisory(report)
    assert found is not None
    assert f"/resourceGroups/{target.write_probe} --wait" in found.remedies[0].bash


async def test_who_may_only_read_is_told_the_action_and_the_role(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=1, role="reader")) as stamp:
        report = await checked(target_of(stamp, tmp_path))
    verdict = diagnose(report).verdict
    assert verdict is not None
    assert verdict.id == "arm-forbidden"
    assert "action Microsoft.Resources/subscriptions/resourceGroups/write" in "\n".join(
        verdict.evidence
    )
    assert "--role Contributor --scope /subscriptions/" in verdict.remedies[0].bash
    assert "Contributor" in verdict.remedies[1].powershell
    assert probe_of(report).state is ProbeState.ABSENT
    assert advisory(report) is None


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("PUT */resourcegroups/*=500", "arm-server-error"),
        ("PUT */resourcegroups/*=503:9", "arm-unavailable"),
        ("PUT */resourcegroups/*=throttle:9", "arm-throttled"),
        ("PUT */resourcegroups/*=drop", "arm-reset"),
        ("PUT */resourcegroups/*=hang", "arm-timeout"),
        ("GET */locations=500", "arm-server-error"),
    ],
)
async def test_each_fault_has_its_verdict_and_the_line_that_probes_again(
    stamp: RunningStamp, tmp_path: Path, fault: str, verdict: str
) -> None:
    stamp.fault_at(fault)
    report = await checked(target_of(stamp, tmp_path))
    found = diagnose(report).verdict
    assert found is not None
    assert found.id == verdict
    assert "list" not in found.title
    # The request that failed, not a look at what it left.
    last = report.steps[-1].evidence.last
    assert last is not None
    assert last.method == fault.partition(" ")[0]
    assert any("check --write-probe " in each.bash for each in found.remedies)


async def faulty(stamp: RunningStamp, folder: Path, *faults: str) -> Report:
    """Probe with faults, and compare what it says with what is there."""
    target = target_of(stamp, folder)
    stamp.fault_at(*faults)
    report = await checked(target)
    stamp.fault_at()
    probe, there = probe_of(report), await is_there(stamp, target.write_probe)
    match probe.state:
        case ProbeState.LEFT:
            assert there
        case ProbeState.ABSENT | ProbeState.DELETED | ProbeState.DELETING:
            assert not there, probe
    assert (advisory(report) is not None) is probe.left
    if report.ok:
        assert probe.state in (ProbeState.DELETED, ProbeState.DELETING)
    else:
        verdict = diagnose(report).verdict
        assert verdict is not None
        assert any(target.write_probe in line for line in verdict.evidence)
    return report


@pytest.mark.parametrize("what", SAMPLE)
async def test_one_request_fails_once(stamp: RunningStamp, tmp_path: Path, what: str) -> None:
    for place, request in REQUESTS.items():
        report = await faulty(stamp, tmp_path, f"{request}@1={what}")
        assert not probe_of(report).left, (place, what)
        # What fails at the deletion is made good.
        assert report.ok or place in ("locations", "create", "read"), (place, what)


@pytest.mark.parametrize("place", REQUESTS)
@pytest.mark.parametrize("what", ["drop", "500", "500-after"])
async def test_one_request_always_fails(
    stamp: RunningStamp, tmp_path: Path, place: str, what: str
) -> None:
    report = await faulty(stamp, tmp_path, f"{REQUESTS[place]}={what}")
    # Whether there is anything is found out by reading: where that fails, it is unknown.
    expected = {("create", "500-after"): ProbeState.DELETED, ("delete", "500"): ProbeState.LEFT,
                ("delete", "drop"): ProbeState.LEFT}  # fmt: skip
    if place == "read":
        assert probe_of(report).state is ProbeState.UNKNOWN
    else:
        expected_state = expected.get((place, what))
        assert expected_state in (None, probe_of(report).state)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (error("404 Not Found", "ResourceGroupNotFound"), ProbeState.DELETED),
        (error("404 Not Found", "SubscriptionNotFound"), ProbeState.UNKNOWN),
        (answer(b"<h1>404</h1>", status="404 Not Found"), ProbeState.UNKNOWN),
    ],
)
async def test_only_arms_own_word_says_that_a_group_is_gone(said: Raw, state: ProbeState) -> None:
    async with serving(said) as web, patient(web) as (client, _):
        removal = await probe_group.remove_group(client, GROUP, "the group", 1.0)
        assert removal.state is state
        assert (await probe_group.look(client, GROUP, 0.0)).state is state


@pytest.mark.every_failure
@pytest.mark.parametrize(("place", "what"), product(REQUESTS, (*SAMPLE, *AFTER, *OTHER)))
async def test_the_wide_table(stamp: RunningStamp, tmp_path: Path, place: str, what: str) -> None:
    for number in (f"{REQUESTS[place]}@1", f"{REQUESTS[place]}@2", REQUESTS[place]):
        await faulty(stamp, tmp_path, f"{number}={what}")


# What was left.

MADE = "2026-01-01T00:00:00Z"


def group(name: str = f"{PREFIX}0123", tag: str = MADE, **other: str) -> ResourceGroup:
    return ResourceGroup(name, "local", other.get("state", "Succeeded"), tags={TAG: tag})


def test_only_our_tag_and_name_make_a_group_ours() -> None:
    assert made_at(group()) == datetime(2026, 1, 1, tzinfo=UTC)
    now = datetime.now(UTC).replace(microsecond=0)
    assert made_at(ResourceGroup(PREFIX, "l", "", tags=probe_tags(now))) == now
    for other in (
        group("rg-web"),
        group(f"x{PREFIX}1"),
        group(tag=""),
        group(tag="yes"),
        group(tag="2026-01-01"),
        group(tag="2026-13-01T00:00:00Z"),
        replace(group(), tags={TAG.upper(): MADE}),
        replace(group(), tags={}),
    ):
        assert made_at(other) is None
        assert write_probe.leftovers([other], now) == ()


def test_a_young_one_and_one_that_goes_are_not_left() -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    for minutes, state, left in ((14, "Succeeded", 0), (16, "Succeeded", 1), (16, "Deleting", 0)):
        now = made + timedelta(minutes=minutes)
        assert len(write_probe.leftovers([group(state=state)], now)) == left
    assert write_probe.leftovers([group()], made - timedelta(days=1)) == ()


async def make(stamp: RunningStamp, name: str, tags: dict[str, str]) -> None:
    async with arm_of(stamp) as (client, _):
        path = group_path(client, stamp.subscription_id, name)
        await client.request("PUT", path, body={"location": "local", "tags": tags})


async def test_leftovers_are_said_by_any_check_and_deleted_where_asked(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    old, young = probe_tags(now - timedelta(hours=1)), probe_tags(now)
    await make(stamp, f"{PREFIX}old", old)
    await make(stamp, f"{PREFIX}young", young)
    await make(stamp, "rg-not-ours", old)
    await make(stamp, f"{PREFIX}full", old)
    inside = f"{PREFIX}full/providers/Microsoft.Network/virtualNetworks/mine"
    async with arm_of(stamp) as (client, _):
        path = group_path(client, stamp.subscription_id, "")
        await client.request("PUT", f"{path}{inside}", body={"location": "local"})
    target = replace(target_of(stamp, tmp_path), write_probe="")
    report = await checked(target)
    found = advisory(report)
    assert found is not None
    assert report.ok
    text = "\n".join(found.evidence)
    assert f"{PREFIX}old" in text
    assert f"{PREFIX}young" not in text
    assert "rg-not-ours" not in text
    assert "stacktui check --remove-leftovers" in found.remedies[0].bash

    report = await checked(replace(target, remove_leftovers=True))
    assert report.result(ProbeLeftovers) == ProbeLeftovers(
        (f"{PREFIX}old",), (), (f"{PREFIX}full",)
    )
    for name, there in (("old", False), ("young", True), ("full", True)):
        assert await is_there(stamp, f"{PREFIX}{name}") is there
    assert await is_there(stamp, "rg-not-ours")
    left = advisory(report)
    assert left is not None
    assert [f"{PREFIX}full" in line for line in left.evidence] == [True]


async def test_a_leftover_that_cannot_be_deleted_is_a_fault(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    await make(stamp, f"{PREFIX}kept", probe_tags(datetime.now(UTC) - timedelta(hours=1)))
    stamp.fault_at("DELETE */resourcegroups/*=500")
    target = replace(target_of(stamp, tmp_path), write_probe="", remove_leftovers=True)
    report = await checked(target)
    stamp.fault_at()
    assert not report.ok
    found = diagnose(report).verdict
    assert found is not None
    assert found.id == "arm-server-error"
    assert (await checked(target)).ok
