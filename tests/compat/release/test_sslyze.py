"""sslyze, which verifies with another library, agrees on chain and names."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.compat.own_venv import own_venv, wanted
from tests.product import stacktui, write_config

FAULTS = (
    None, "tls-untrusted-root", "tls-intercepted", "tls-missing-intermediate", "tls-self-signed",
    "tls-expired", "tls-not-yet-valid", "tls-name-mismatch",
)  # fmt: skip


def _works(folder: Path) -> bool:
    program = folder / "bin" / "sslyze"
    return program.exists() and subprocess.run(
        [program, "--help"], capture_output=True, check=False
    ).returncode == 0  # fmt: skip


@pytest.fixture(scope="session")
def sslyze() -> Path:
    if not wanted(release=True):
        pytest.skip("set STACKTUI_COMPAT=release to have sslyze installed into .cache (60 MB)")
    return own_venv("sslyze", ["sslyze>=6"], _works) / "bin" / "sslyze"


def seen_by_sslyze(sslyze: Path, stamp: RunningStamp, folder: Path) -> dict[str, Any]:
    out = folder / "sslyze.json"
    command = [sslyze, "--certinfo", "--certinfo_ca_file", stamp.ca_file, "--json_out", out,
               "--quiet", f"localhost:{stamp.port}"]  # fmt: skip
    subprocess.run(command, check=False, capture_output=True, timeout=60)
    (result,) = json.loads(out.read_text())["server_scan_results"]
    info = result["scan_result"]["certificate_info"]
    assert info["status"] == "COMPLETED", info
    deployment: dict[str, Any] = info["result"]["certificate_deployments"][0]
    return deployment


@pytest.mark.parametrize("fault", FAULTS)
def test_sslyze_agrees(sslyze: Path, fault: str | None, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ours = stacktui("certificates", "show", "Test", "--format", "json",
                        "--config", str(config)).document  # fmt: skip
        theirs = seen_by_sslyze(sslyze, stamp, tmp_path)
    (endpoint,) = ours["endpoints"]
    chain = theirs["received_certificate_chain"]
    assert [each["sha256"].replace(":", "").lower() for each in endpoint["chain"]] == [
        bytes.fromhex(_hex(each["fingerprint_sha256"])).hex() for each in chain
    ]
    for our, their in zip(endpoint["chain"], chain, strict=True):
        names = their["subject_alternative_name"]
        assert our["names"] == [*names["dns_names"], *names["ip_addresses"]]
        assert our["subject"] == their["subject"]["rfc4514_string"]
        assert our["issuer"] == their["issuer"]["rfc4514_string"]
        assert int(our["serial"], 16) == their["serial_number"]
        assert our["key"]["bits"] == their["public_key"]["key_size"]
    (verdict,) = [
        each["was_validation_successful"] for each in theirs["path_validation_results"]
        if each["trust_store"]["path"] == stamp.ca_file
    ]  # fmt: skip
    assert endpoint["verdict"]["trusted"] == verdict
    assert verdict == (fault is None)


def _hex(fingerprint: str) -> str:
    """sslyze writes bytes as base64 or hexadecimal, by version."""
    from base64 import b64decode

    text = fingerprint.replace(":", "")
    return text if len(text) == 64 else b64decode(text).hex()
