"""`stacktui providers register`: once, safely repeated, and what is unknown is said."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.resources import providers
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.arm.versions import PROVIDERS
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui, write_config

NAMESPACE = "Microsoft.KeyVault"
REGISTER = "POST */register"


@pytest.fixture
def stamp(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStamp]:
    monkeypatch.setattr(providers, "FIRST_PAUSE", 0.1)
    options = StampOptions(groups=1, unregistered=tuple(PROVIDERS), register_seconds=0.3)
    with run_in_thread(options) as running:
        yield running


@pytest.fixture
def config(stamp: RunningStamp, tmp_path: Path) -> Path:
    return write_config(tmp_path, stamp.describe())


def register(config: Path, *words: str, namespace: str = NAMESPACE) -> Ran:
    return stacktui("providers", "register", namespace, "--config", config, *words)


def state(config: Path) -> str:
    ran = stacktui("providers", "show", NAMESPACE, "--config", config, "--format", "json")
    return str(ran.document["provider"]["registrationState"])


def posts(stamp: RunningStamp) -> int:
    return sum(each.method == "POST" and "/register" in each.path for each in stamp.requests)


def test_it_asks_waits_visibly_and_says_what_is_so_already(
    config: Path, stamp: RunningStamp
) -> None:
    asked = register(config)
    assert (asked.code, asked.out) == (2, "")
    assert f"register {NAMESPACE} for {stamp.subscription_id}?" in asked.err
    assert posts(stamp) == 0
    ran = register(config, "--yes", namespace=NAMESPACE.lower())
    assert (ran.code, ran.out) == (0, f"✓ {NAMESPACE} is registered\n")
    assert f"{NAMESPACE}: Registering; going on in " in ran.err
    assert state(config) == "Registered"
    again = register(config)
    assert (again.code, again.err) == (0, "")
    assert again.out == f"✓ {NAMESPACE} was registered already\n"
    document = register(config, "--format", "json").document
    assert (document["state"], document["changed"]) == ("Registered", False)
    assert posts(stamp) == 1


@pytest.mark.parametrize("what", ["drop", "drop-after", "reset-after", "500", "504-after", "cut"])
def test_a_request_that_fails_once_is_no_fault(
    config: Path, stamp: RunningStamp, what: str
) -> None:
    stamp.fault_at(f"{REGISTER}@1={what}")
    ran = register(config, "--yes", "--format", "json")
    assert (ran.code, ran.document["changed"]) == (0, True)
    # It is sent again only where it was not carried out.
    assert posts(stamp) == (2 if what in ("drop", "500") else 1)


@pytest.mark.parametrize("fault", [f"{REGISTER}=500", "GET */providers/*@2+=500"])
def test_what_is_unknown_is_said_with_the_line_that_finds_out(
    config: Path, stamp: RunningStamp, fault: str
) -> None:
    stamp.fault_at(fault)
    ran = register(config, "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert f"unknown; look: stacktui providers show {NAMESPACE}" in ran.err.replace("'", "")


def test_one_that_stays_registering_is_said(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "REGISTER_TIMEOUT", 0.0)
    ran = register(config, "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert f"{NAMESPACE} is Registering; to look again: stacktui providers show" in ran.err
    time.sleep(0.3)
    assert register(config).code == 0


def test_none_of_that_name(config: Path) -> None:
    ran = register(config, "--yes", namespace="Microsoft.Nothing")
    assert (ran.code, ran.out) == (1, "")
    assert "InvalidResourceNamespace" in ran.err


def test_who_may_not_is_told_which_action_it_takes(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(groups=1, role="reader")) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ran = register(config, "--yes", namespace="Microsoft.Web")
    assert (ran.code, ran.out) == (1, "")
    assert "AuthorizationFailed" in ran.err
    assert "Microsoft.Web/register/action, which Contributor and Owner have" in ran.err


def test_the_code_of_one_that_is_missing_leads_there(config: Path, stamp: RunningStamp) -> None:
    vaults = "/subscriptions/{subscriptionId}/providers/Microsoft.KeyVault/vaults"
    ran = stacktui("rest", "GET", vaults, "--config", config)
    assert ran.code == 1
    assert f"register it: stacktui providers register {NAMESPACE} -e Test" in ran.err


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(each, marks=() if each in (1, 5) else pytest.mark.every_failure)
        for each in range(1, 7)
    ],
)
def test_killed_at_any_request_it_is_done_by_the_next(
    config: Path, stamp: RunningStamp, number: int
) -> None:
    stamp.fault_at(f"{number}=hang-after")
    command = [sys.executable, "-m", "stacktui", "providers", "register", NAMESPACE, "--yes"]
    process = subprocess.Popen(
        [*command, "--config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while len(stamp.requests) < number and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stamp.fault_at()
    assert register(config, "--yes").code == 0
    assert state(config) == "Registered"
    assert posts(stamp) <= 2
