"""A check signs in with the account of a real `az` (`kind = "azure-cli"`), on Entra and AD FS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp.running import RunningStamp
from tests.product import check_json, write_config

from .az import Az
from .test_az_works import sign_in_with_secret

ACCOUNT = {"kind": '"azure-cli"', "tenant": "", "client_id": "", "secret": ""}


def check(az: Az, stamp: RunningStamp, folder: Path) -> dict[str, Any]:
    """The document of a check on a machine where `az` is this one."""
    variables = az.environment() | {"PATH": f"{az.path.parent}{os.pathsep}{os.environ['PATH']}"}
    wanted = ("PATH", "HOME", "AZURE_CONFIG_DIR", "REQUESTS_CA_BUNDLE")
    config = write_config(folder, stamp.describe(), **ACCOUNT)
    return check_json(config, **{name: variables[name] for name in wanted}).document


def test_the_account_of_az(az: Az, stamp: RunningStamp, tmp_path: Path) -> None:
    document = check(az, stamp, tmp_path)
    assert document["verdict"]["id"] == "az-not-signed-in"
    sign_in_with_secret(az, stamp)
    document = check(az, stamp, tmp_path)
    assert document["ok"], document["verdict"]
    token = next(each for each in document["steps"] if each["name"] == "token")
    facts = token["evidence"]["result"]
    assert facts["audience"] == stamp.identity_provider_audience
    assert facts["subject"] == stamp.client_id


def test_another_cloud_of_az_stays_the_active_one(
    az: Az, stamp: RunningStamp, tmp_path: Path
) -> None:
    sign_in_with_secret(az, stamp)
    az.ok("cloud", "set", "-n", "AzureCloud")
    before = (az.config / "config").read_bytes()
    assert check(az, stamp, tmp_path)["ok"]
    assert (az.config / "config").read_bytes() == before


@pytest.mark.parametrize("missing", ["cloud", "az"])
def test_what_is_missing_is_named(
    missing: str, az: Az, stamp: RunningStamp, tmp_path: Path
) -> None:
    sign_in_with_secret(az, stamp)
    if missing == "cloud":
        (az.config / "clouds.config").unlink()
        before = (az.config / "config").read_bytes()
        assert check(az, stamp, tmp_path)["verdict"]["id"] == "az-cloud-missing"
        assert (az.config / "config").read_bytes() == before
        return
    elsewhere = Az(tmp_path / "bin" / "az", az.folder, az.extra)
    assert check(elsewhere, stamp, tmp_path)["verdict"]["id"] == "az-not-installed"
