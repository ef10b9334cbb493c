"""Verdicts on names and addresses that give no answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.diagnosis.servers import verdict_on
from tests.support.listeners import closed_port, full_port


async def test_packets_that_vanish(tmp_path: Path) -> None:
    with full_port() as port:
        verdict = await verdict_on(tmp_path, f"https://127.0.0.1:{port}", limits={"connect": 0.5})
    assert (verdict["id"], verdict["side"]) == ("tcp-timeout", "network")
    assert f"tried 127.0.0.1:{port} ETIMEDOUT" in verdict["evidence"]
    assert any(f"127.0.0.1 port {port}" in each["title"] for each in verdict["remedies"])
    assert verdict["remedies"][0]["bash"] == "ip route get 127.0.0.1"


async def test_a_closed_port_is_no_lost_packet(tmp_path: Path) -> None:
    with closed_port() as port:
        assert (await verdict_on(tmp_path, f"https://127.0.0.1:{port}"))["id"] == "tcp-refused"


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no network namespaces here")
@pytest.mark.parametrize(
    ("arm", "id_"),
    [
        ("https://management.east.contoso.invalid", "dns-timeout"),
        # In the same namespace without a single route: nothing is dropped, there is no way.
        ("https://192.0.2.1", "tcp-unreachable"),
    ],
)
def test_without_a_network_no_resolver_answers(arm: str, id_: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[environments.Test]\narm = "{arm}"\nproxy = "none"\n')
    check = [sys.executable, "-m", "stacktui", "check", "--config", str(config), "--format", "json"]
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may make no network namespace")
    done = subprocess.run(
        ["unshare", "-rn", *check], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    verdict = json.loads(done.stdout)["verdict"]
    assert verdict["id"] == id_
    if id_ == "dns-timeout":
        assert verdict["side"] == "network"
        assert "contoso.invalid" in verdict["title"]
        assert "EAI_AGAIN" in verdict["evidence"][0]
