"""What is kept of a check, and that it and what it is made of go between processes."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.check.settings import load_settings
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.summarise import summarise
from stacktui.environments.model import Environment
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.check.test_runner import report_of
from tests.product import write_config


async def test_a_healthy_check(entra_stamp: RunningStamp, tmp_path: Path) -> None:
    target = load_settings(write_config(tmp_path, entra_stamp.describe())).target()
    report = await report_of(target)
    summary = summarise(report, diagnose(report), "a-run")
    assert (summary.environment, summary.started) == ("Test", report.started)
    assert (summary.ok, summary.verdict, summary.side) == (True, "", "")
    assert [name for name, outcome, _ in summary.steps if outcome == "ok"] == [
        "metadata", "token", "resource-groups",
    ]  # fmt: skip
    assert {"tcp", "tls", "first-byte", "body"} <= set(summary.phases)
    assert sum(summary.phases.values()) <= summary.seconds
    arm, login = (url.split("/")[2] for url in (entra_stamp.arm_url, entra_stamp.login_url))
    assert set(summary.expiries) == {arm, login}
    assert min(summary.expiries.values()) > report.started
    assert summary.skew is not None
    assert abs(summary.skew) < 5
    assert summary.run_id == "a-run"
    undecided = replace(report.steps[1].evidence, inconclusive=True)
    steps = (report.steps[0], replace(report.steps[1], evidence=undecided), report.steps[2])
    assert summarise(replace(report, steps=steps), diagnose(report)).ok is None


@pytest.mark.parametrize(
    ("fault", "side"),
    [
        ("tls-untrusted-root", "box"),
        ("sp-secret-wrong", "sign-in"),
        ("metadata-not-json", "stamp"),
        ("arm-forbidden", "sign-in"),
        ("tcp-refused", "stamp"),
        ("metadata-intercepted", "network"),
    ],
)
async def test_a_report_and_its_summary_are_pickled(fault: str, side: str, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        report = await report_of(load_settings(write_config(tmp_path, stamp.describe())).target())
    assert pickle.loads(pickle.dumps(report)) == report
    summary = summarise(report, diagnose(report))
    assert (summary.ok, summary.verdict, summary.side) == (False, fault, side)
    assert pickle.loads(pickle.dumps(summary)) == summary
    assert len(pickle.dumps(summary)) < 4096


def test_an_environment_is_pickled() -> None:
    environment = Environment("A", "https://management.local.azurestack.external")
    assert pickle.loads(pickle.dumps(environment)) == environment
