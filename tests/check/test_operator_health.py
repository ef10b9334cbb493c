"""The optional step: what operators read of their stamp, and that nobody else misses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.check.events import CheckFinished
from stacktui.check.operator_health import OperatorHealth
from stacktui.check.report import Report, StepOutcome
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.step_names import STANDING
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import report_document
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.schema import validate
from tests.product import write_config

DOMAIN = "local.azurestack.external"


@pytest.fixture(scope="module", params=["2102", "2301"])
def updating(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    options = StampOptions(domain=DOMAIN, build=request.param, fault="operator-health")
    with run_in_thread(options) as stamp:
        yield stamp


async def checked(stamp: RunningStamp, folder: Path, *, operator: bool = True) -> Report:
    target = load_settings(write_config(folder, stamp.describe())).target()
    if operator:
        arm = target.environment.arm.replace("//management.", "//adminmanagement.")
        target = replace(target, environment=replace(target.environment, arm=arm))
    last = [event async for event in run(target)][-1]
    assert isinstance(last, CheckFinished)
    return last.report


async def test_an_operator_reads_of_the_update_and_the_alerts(
    updating: RunningStamp, tmp_path: Path
) -> None:
    report = await checked(updating, tmp_path)
    assert report.ok
    assert [step.name for step in report.steps] == [*STANDING, "operator-health"]
    health = report.result(OperatorHealth)
    assert health is not None
    assert health.version == f"1.{updating.build}.0.9"
    assert health.update_began is not None
    ago = (report.started - health.update_began).total_seconds()
    assert 74 * 60 - 60 < ago < 74 * 60 + 60
    assert [(each.title, each.is_critical) for each in health.alerts] == [
        ("Node AzS-ERCS01 is offline", True)
    ]
    diagnosis = diagnose(report)
    (finding,) = [each for each in diagnosis.also_seen if each.id == "operator-health"]
    assert "is being updated since " in finding.title
    assert finding.title.endswith("has 1 active alert, 1 of them critical")
    document = report_document(report, diagnosis)
    validate(document)
    result = document["steps"][-1]["evidence"]["result"]
    assert (result["state"], result["alerts"][0]["severity"]) == ("UpdateInProgress", "Critical")


async def test_a_user_s_endpoint_has_three_steps(updating: RunningStamp, tmp_path: Path) -> None:
    before = len(updating.requests)
    report = await checked(updating, tmp_path, operator=False)
    assert [step.name for step in report.steps] == list(STANDING)
    assert not [each for each in updating.requests[before:] if "Update.Admin" in each.path]


async def test_without_the_right_to_read_it_is_one_line_and_no_fault(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, operators=False)) as stamp:
        report = await checked(stamp, tmp_path)
    step = report.steps[-1]
    assert (report.ok, step.outcome) == (True, StepOutcome.SKIPPED)
    assert "AuthorizationFailed" in step.evidence.skipped
    assert "\n" not in step.evidence.skipped
    assert not [each for each in diagnose(report).also_seen if each.id == "operator-health"]
