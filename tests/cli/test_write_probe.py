"""`stacktui check --write-probe` from outside: consent, formats, leftovers, and ends in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from stacktui.check import write_probe
from stacktui.check.write_probe import PREFIX
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui, write_config
from tests.resources.walks import writes
from tests.support.pasted import on_terminal

COMMAND = [sys.executable, "-m", "stacktui", "check", "--write-probe"]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(groups=1, retry_after=0, delete_seconds=0.1)) as stamp:
        yield stamp


@pytest.fixture
def stamp(running: RunningStamp) -> Iterator[RunningStamp]:
    running.fault_at()
    yield running
    running.fault_at()


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp.describe())


def check(config: Path, *words: str) -> Ran:
    return stacktui("check", "--config", config, *words)


def result_of(document: dict[str, Any]) -> dict[str, Any]:
    step = document["steps"][-1]
    assert step["name"] == "write-probe"
    found: dict[str, Any] = step["evidence"]["result"]
    return found


def groups(config: Path) -> list[str]:
    ran = stacktui("groups", "list", "--config", config, "--format", "jsonl")
    rows = map(json.loads, ran.out.splitlines())
    return [
        each["name"]
        for each in rows
        if each["name"].startswith(PREFIX) and each["properties"]["provisioningState"] != "Deleting"
    ]


def test_the_option_is_the_consent_in_every_format(config: Path) -> None:
    text = check(config, "--write-probe")
    assert (text.code, text.err) == (0, "")
    assert "✓ write-probe" in text.out
    assert "it is gone" in text.out
    assert result_of(check(config, "--write-probe", "--format", "json").document)["state"] == (
        "deleted"
    )
    lines = check(config, "--write-probe", "--format", "jsonl").out.splitlines()
    assert [result_of(json.loads(line))["state"] for line in lines] == ["deleted"]
    markdown = check(config, "--write-probe", "--format", "markdown").out
    assert "DELETE " in markdown
    assert groups(config) == []


def test_all_environments_are_asked_for_once(config: Path, stamp: RunningStamp) -> None:
    before = writes(stamp)
    asked = check(config, "--all", "--write-probe")
    assert (asked.code, asked.out) == (2, "")
    assert "make and delete a resource group in 1 environment?" in asked.err
    assert writes(stamp) == before
    ran = check(config, "--all", "--write-probe", "--yes", "--format", "json")
    assert ran.code == 0
    assert result_of(ran.document["checks"][0])["state"] == "deleted"


def test_it_is_in_the_history_as_any_check(config: Path, stamp: RunningStamp) -> None:
    stamp.fault_at("PUT */resourcegroups/*=500")
    ran = check(config, "--write-probe")
    assert (ran.code, "it is not there" in ran.out) == (1, True)
    stamp.fault_at()
    assert "arm-server-error" in stacktui("history", "--config", config).out


def test_a_limit_of_its_own_ends_waiting(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=1, retry_after=0, delete_seconds=60)) as slow:
        config = write_config(tmp_path, slow.describe())
        ran = check(config, "--write-probe", "--limit", "probe=0.1", "--format", "json")
    assert (ran.code, result_of(ran.document)["state"]) == (0, "deleting")


def leave_one(config: Path, stamp: RunningStamp) -> str:
    stamp.fault_at("DELETE */resourcegroups/*=500")
    ran = check(config, "--write-probe", "--format", "json")
    stamp.fault_at()
    assert (ran.code, result_of(ran.document)["state"]) == (1, "left")
    return str(result_of(ran.document)["group"])


def test_headless_says_the_command_and_it_deletes(
    config: Path, stamp: RunningStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = leave_one(config, stamp)
    monkeypatch.setattr(write_probe, "LEFT_AFTER", write_probe.LEFT_AFTER * 0)
    ran = check(config, "--write-probe")
    assert (ran.code, ran.err) == (0, "")
    assert "! probe-leftover" in ran.out
    assert "stacktui check --remove-leftovers" in ran.out
    removed = check(config, "--remove-leftovers")
    assert (removed.code, removed.err) == (0, "")
    assert f"deleted: {name}" in removed.out
    assert "write-probe" not in removed.out
    assert groups(config) == []


def test_a_terminal_is_asked(config: Path, stamp: RunningStamp, tmp_path: Path) -> None:
    name = leave_one(config, stamp)
    script = tmp_path / "old.py"
    script.write_text(
        "from stacktui.check import write_probe\n"
        "from stacktui.cli.main import main\n"
        "write_probe.LEFT_AFTER *= 0\n"
        "main()\n"
    )
    command = [sys.executable, str(script), "check", "--write-probe", "--config", str(config)]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    question = f"delete {name}, which earlier probes left?"
    code, screen = on_terminal(command, [("[y/N]", "n")], environment)
    assert (code, groups(config)) == (0, [name])
    code, screen = on_terminal(command, [("[y/N]", "y")], environment)
    assert question in " ".join(screen.split())
    assert (code, groups(config)) == (0, [])


# Ends in between: each of the probe's requests hangs, and the process is ended there.
ENDED_AT = {
    "PUT */resourcegroups/*=hang": False,
    "PUT */resourcegroups/*=hang-after": True,
    "GET */resourcegroups/*=hang": True,
    "DELETE */resourcegroups/*=hang": True,
    "DELETE */resourcegroups/*=hang-after": False,
    "GET */operationresults/*=hang": False,
}


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
# Each signal once, at a request that may be carried out, one that waits and one that looks.
ALWAYS = {
    (signal.SIGINT, "PUT */resourcegroups/*=hang-after"),
    (signal.SIGTERM, "DELETE */resourcegroups/*=hang"),
    (signal.SIGKILL, "GET */operationresults/*=hang"),
}


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        pytest.param(*each, marks=() if each in ALWAYS else pytest.mark.every_failure)
        for each in product(SIGNALS, ENDED_AT)
    ],
)
def test_ended_at_any_request_nothing_is_left_unsaid(
    config: Path,
    stamp: RunningStamp,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    fault: str,
) -> None:
    stamp.fault_at(fault)
    seen = len(stamp.requests)
    place = fault.partition("=")[0]
    process = subprocess.Popen(
        [*COMMAND, "--config", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not reached(stamp, seen, place) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    stamp.fault_at()
    if number is not signal.SIGKILL:
        assert "is left there is unknown" in err
        assert "stacktui check --remove-leftovers" in err
    left = groups(config)
    assert len(left) <= 1
    assert bool(left) is ENDED_AT[fault]
    monkeypatch.setattr(write_probe, "LEFT_AFTER", write_probe.LEFT_AFTER * 0)
    later = check(config, "--format", "json").document["also_seen"]
    said = [each for each in later if each["id"] == "probe-leftover"]
    assert bool(said) is bool(left)
    assert check(config, "--remove-leftovers").code == 0
    assert groups(config) == []


def reached(stamp: RunningStamp, since: int, place: str) -> bool:
    method, _, pattern = place.partition(" ")
    part = pattern.strip("*").rstrip("/*").lower()
    return any(
        each.method == method and f"{part}/" in each.path.lower()
        for each in list(stamp.requests)[since:]
    )
