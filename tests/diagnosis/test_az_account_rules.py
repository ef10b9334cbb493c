"""The account of `az` (`kind = "azure-cli"`): what is said where az gives no token."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stacktui.azure_cli.launchers import launchers
from stacktui.identities import az_account
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.drills import DOMAIN, verdict_of
from tests.diagnosis.schema import validate
from tests.identities.sign_ins import identity_of, sign_in
from tests.product import check_json, limited, write_config
from tests.support.azure import answering_az, registered_cloud

ACCOUNT = {"kind": '"azure-cli"', "tenant": "", "client_id": "", "secret": ""}


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param, domain=DOMAIN)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where az and its files are."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    monkeypatch.setattr(az_account, "launchers", partial(launchers, ()))
    return tmp_path


def know(folder: Path, stamp: RunningStamp, **more: str) -> None:
    registered_cloud(
        folder / "azure", stamp.arm_url, stamp.login_url, stamp.identity_provider_audience, **more
    )


def verdict(folder: Path, stamp: RunningStamp, *options: str, **more: str) -> dict[str, Any]:
    config = write_config(folder, stamp.describe(), **ACCOUNT | more)
    ran = check_json(config, *options)
    validate(ran.document)
    return verdict_of(ran, "token")


def words_of(verdict: dict[str, Any]) -> str:
    return "\n".join(each["bash"] for each in verdict["remedies"])


def test_a_check_with_the_account_of_az(stamp: RunningStamp, folder: Path) -> None:
    token, _ = asyncio.run(sign_in(stamp, identity_of(stamp)))
    answer = {"accessToken": token.value, "expires_on": int(time.time()) + 3600}
    (folder / "answer").write_text(json.dumps(answer))
    answering_az(folder, f"cat {folder}/answer; echo asked >> {folder}/times")
    know(folder, stamp)
    config = write_config(folder, stamp.describe(), **ACCOUNT)
    for times in (1, 2):
        command = [sys.executable, "-m", "stacktui", "check", "--format", "json"]
        command += ["--config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert token.value not in done.stdout + done.stderr
        assert token.value.split(".")[2] not in done.stdout + done.stderr
        assert (folder / "times").read_text().count("asked") == times


def test_no_az(stamp: RunningStamp, folder: Path) -> None:
    found = verdict(folder, stamp)
    assert (found["id"], found["side"]) == ("az-not-installed", "box")
    assert "azure-cli==2.66" in words_of(found)


def test_a_cloud_that_az_does_not_have(stamp: RunningStamp, folder: Path) -> None:
    answering_az(folder, "exit 0")
    found = verdict(folder, stamp)
    assert (found["id"], found["side"]) == ("az-cloud-missing", "box")
    export, login, *_ = found["remedies"]
    command = export["bash"].replace("stacktui ", f"{shlex.quote(sys.executable)} -m stacktui ")
    subprocess.run(["bash", "-c", command], check=True, input="y\ny\n", text=True)
    answering_az(folder, "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
    assert verdict(folder, stamp)["id"] == "az-not-signed-in"
    subprocess.run(["bash", "-c", login["bash"]], check=False)
    assert (folder / "arguments").read_text() == "login\n--use-device-code\n"
    assert "AZURE_CLOUD_NAME=Test" in (folder / "variables").read_text().splitlines()


def test_a_cloud_of_another_login_host(stamp: RunningStamp, folder: Path) -> None:
    answering_az(folder, "exit 0")
    know(folder, stamp, endpoint_active_directory="https://other.example/")
    document = check_json(write_config(folder, stamp.describe(), **ACCOUNT)).document
    found = document["verdict"]
    assert found["id"] == "az-cloud-missing"
    assert any("https://other.example" in each for each in found["evidence"])
    # With the command of az's own that changes just this.
    assert [each["id"] for each in document["also_seen"]] == ["az-config-broken"]
    assert not (folder / "arguments").exists()


@pytest.mark.parametrize(
    ("script", "id_", "evidence", "command"),
    [
        (
            "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
            "az-not-signed-in",
            "Please run 'az login'",
            "AZURE_CLOUD_NAME=ours az login --use-device-code --tenant contoso.example",
        ),
        (
            "echo 'ERROR: AADSTS700082: It has expired.' >&2; exit 1",
            "az-no-token",
            "AADSTS700082",
            "stacktui explain AADSTS700082",
        ),
        ("exit 3", "az-no-token", "ended with 3", "az account get-access-token --resource http"),
        ("echo hello", "az-no-token", "no token", "--query expiresOn -o tsv"),
    ],
)
def test_an_az_without_a_token(
    script: str, id_: str, evidence: str, command: str, stamp: RunningStamp, folder: Path
) -> None:
    answering_az(folder, script)
    know(folder, stamp)
    found = verdict(folder, stamp, tenant='"contoso.example"')
    assert (found["id"], found["side"]) == (id_, "box")
    assert any(evidence in each for each in found["evidence"])
    assert command in words_of(found)


def test_an_az_that_does_not_end(stamp: RunningStamp, folder: Path) -> None:
    answering_az(folder, "exec sleep 30")
    know(folder, stamp)
    found = verdict(folder, stamp, *limited(step=1))
    assert found["id"] == "az-no-token"
    assert "limits.step=3" in words_of(found)
