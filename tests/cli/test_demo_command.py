"""`stacktui demo --check`, the README's first command, without a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.product import stacktui


@pytest.mark.parametrize("idp", ["aad", "adfs"])
def test_the_demo_is_healthy(idp: str) -> None:
    ran = stacktui("demo", "--check", "--idp", idp, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    document = json.loads(ran.out)
    assert document["ok"]
    assert document["environment"] == "AzureStackUser"


def test_the_demo_reads_nothing_of_the_user_s() -> None:
    folder = Path(os.environ["HOME"], ".config", "stacktui")
    folder.mkdir(parents=True)
    (folder / "ca-bundle.pem").write_text("no bundle at all")
    (folder / "additions.json").write_text("no memory at all")
    ran = stacktui("demo", "--check", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    trusted = ran.document["steps"][0]["evidence"]["trust"]
    assert [each["setting"] for each in trusted] == ["certifi", "ca"]


def test_the_demo_drills_a_fault() -> None:
    ran = stacktui("demo", "--check", "--fault", "tls-expired")
    assert ran.code == 1
    assert "✗ tls-expired · side: the stamp" in ran.out


def test_the_demo_names_the_fault_that_was_meant() -> None:
    ran = stacktui("demo", "--check", "--fault", "tls-expird")
    assert (ran.code, ran.out) == (2, "")
    assert "tls-expired" in ran.err


def test_the_demo_works_behind_a_proxy_setting_and_leaves_nothing(tmp_path: Path) -> None:
    ran = stacktui(
        "demo", "--check", TMPDIR=str(tmp_path), HTTPS_PROXY="http://127.0.0.1:9",
        REQUESTS_CA_BUNDLE="", HOME=str(tmp_path / "home"),
    )  # fmt: skip
    assert ran.code == 0, ran.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_demo_leaves_nothing_however_it_ends(ending: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stacktui", "demo", "--check", "--fault", "arm-timeout"]
    environment = dict(os.environ) | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        while not process.stdout.readline().decode().startswith("✓ token"):
            assert process.poll() is None
        assert list(tmp_path.iterdir()) != []
        process.send_signal(ending)
        process.wait(10)
    assert process.returncode == 128 + ending
    assert list(tmp_path.iterdir()) == []


def test_the_demo_has_a_config_of_its_own() -> None:
    folder = tempfile.gettempdir()
    ran = stacktui("demo", "--check", "--config", folder)
    assert ran.code == 0
    assert ran.err == f"stacktui: --config {folder} is not read here\n"
