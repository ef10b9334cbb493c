"""The service principals that a real `az` has stored, imported: they sign in here as there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stacktui.stamp.running import RunningStamp
from tests.product import stacktui, write_config

from .az import Az
from .test_az_works import sign_in_with_secret


@pytest.mark.parametrize("way", ["secret", "certificate"])
def test_what_az_stored_is_imported_and_signs_in(
    az: Az, stamp: RunningStamp, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "secret":
        sign_in_with_secret(az, stamp)
    else:
        az.ok(
            "login", "--service-principal", "-u", stamp.client_id, "--tenant", stamp.tenant,
            "--certificate", stamp.certificate_file,
        )  # fmt: skip
    file = az.config / "service_principal_entries.json"
    before = file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_mode
    (entry,) = json.loads(before[0])
    config = write_config(tmp_path, stamp.describe(), client_id='"another"')
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(az.config))
    ran = stacktui(
        "identities", "import", "--name", "ours", "--keep-secret", "--yes", "--config", config
    )
    assert ran.code == 0, ran.err
    secret = entry.get("client_secret")
    assert (secret == stamp.secret) is (way == "secret")
    assert stamp.secret not in config.read_text() + ran.err
    assert len(list((tmp_path / "secrets").glob("*"))) == (way == "secret")
    tested = stacktui("identities", "test", "ours", "--config", config, "--format", "json")
    assert (tested.code, tested.document) == (0, {"ok": True, "verdict": None})
    again = stacktui("identities", "import", "--yes", "--config", config)
    assert "ours: is there already" in again.err
    assert (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_mode) == before
