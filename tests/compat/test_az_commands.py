"""The commands that `environments export --format az-commands` prints, run by bash with a real az.

As a user runs them, but for the folder of their files: az has no other settings.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from stacktui.stamp import IdentityProvider, SignInKind
from stacktui.stamp.running import RunningStamp
from tests.product import signing_in, write_config

from .az import Az
from .conftest import GROUPS
from .own_venv import CHECKOUT

SECONDS = 180
LIST = "az group list --query '[].name' --output tsv > groups"
# az with the index of its commands that another run made: see `Az`.
WITH_INDEX = """
az() {{
  # Test is the only cloud that these commands register, and select before they set its profile.
  profile=$(sed -n 's/^profile = //p' '{config}/clouds.config' 2>/dev/null || true)
  profile=${{profile:-latest}}
  if ! grep -qs "\\"$profile\\"" '{index}'; then
    mkdir -p '{config}'
    cp "{indexes}/$profile" '{index}' 2>/dev/null || true
  fi
  command az "$@"
}}
"""


class Shell:
    """A bash with `stacktui` and `az` on its PATH, whose home is a folder of its own."""

    def __init__(self, az_path: Path, home: Path, **variables: str) -> None:
        self.home = home
        programs = home / "bin"
        programs.mkdir(parents=True)
        az = Az(az_path, home)
        self.before = WITH_INDEX.format(config=az.config, index=az.index, indexes=az.indexes)
        (programs / "az").symlink_to(az_path)
        launcher = programs / "stacktui"
        launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m stacktui "$@"\n')
        launcher.chmod(0o755)
        usual = az.environment()
        # The commands have to set it by themselves, for every stamp that needs it.
        del usual["AZURE_CORE_INSTANCE_DISCOVERY"]
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environment = usual | {"PATH": path, "PYTHONPATH": str(CHECKOUT)} | variables

    def start(self, script: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", self.before + script],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str) -> str:
        process = self.start(script)
        try:
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, err
        return out

    def exported(self, config: Path) -> str:
        """The commands for this environment, as printed."""
        export = f"stacktui environments export Test --config {shlex.quote(str(config))}"
        return self.run(f"{export} --format az-commands --shell bash")

    def groups(self) -> int:
        return len((self.home / "groups").read_text().split())


def config(folder: Path, stamp: RunningStamp, kind: SignInKind, **replaced: str) -> Path:
    described = stamp.describe()
    return write_config(folder, described, **signing_in(kind, described, **replaced))


def secrets_of(stamp: RunningStamp) -> Mapping[str, str]:
    return {"OPS_SECRET": stamp.secret, "OPS_PASSWORD": stamp.password}


@pytest.mark.parametrize(
    ("kind", "replaced"),
    [
        pytest.param(SignInKind.SECRET, {"secret": '{ env = "OPS_SECRET" }'}, id="variable"),
        pytest.param(SignInKind.SECRET, {}, id="file"),
        pytest.param(SignInKind.CERTIFICATE, {}, id="certificate"),
    ],
)
def test_a_service_principal_is_connected(
    az_path: Path,
    stamp: RunningStamp,
    tmp_path: Path,
    kind: SignInKind,
    replaced: dict[str, str],
) -> None:
    shell = Shell(az_path, tmp_path / "home", **secrets_of(stamp))
    script = shell.exported(config(tmp_path, stamp, kind, **replaced))
    assert stamp.secret not in script
    shell.run(f"{script}\n{LIST}")
    assert shell.groups() == GROUPS
    profile = json.loads((shell.home / "azure/azureProfile.json").read_text("utf-8-sig"))
    (used,) = [each for each in profile["subscriptions"] if each["isDefault"]]
    assert (used["id"], used["environmentName"]) == (stamp.subscription_id, "Test")


@pytest.mark.parametrize("stamp", [IdentityProvider.ADFS], indirect=True)
def test_a_user_of_adfs_is_connected_by_password(
    az_path: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    shell = Shell(az_path, tmp_path / "home", **secrets_of(stamp))
    given = config(tmp_path, stamp, SignInKind.PASSWORD, password='{ env = "OPS_PASSWORD" }')
    script = shell.exported(given)
    assert stamp.password not in script
    shell.run(f"{script}\n{LIST}")
    assert shell.groups() == GROUPS


def test_a_user_of_entra_is_connected_by_password(
    az_path: Path, named_stamp: tuple[RunningStamp, dict[str, str]], tmp_path: Path
) -> None:
    stamp, variables = named_stamp
    shell = Shell(az_path, tmp_path / "home", HTTPS_PROXY=variables["HTTPS_PROXY"])
    # Its names resolve at the proxy only: `proxy = "none"` would take az around it.
    given = config(tmp_path, stamp, SignInKind.PASSWORD, proxy="", resolve="")
    script = shell.exported(given)
    shell.run(f"{script}\n{LIST}")
    assert shell.groups() == GROUPS


def test_a_device_code_connects(az_path: Path, stamp: RunningStamp, tmp_path: Path) -> None:
    shell = Shell(az_path, tmp_path / "home")
    script = shell.exported(config(tmp_path, stamp, SignInKind.DEVICE_CODE))
    process = shell.start(f"{script}\n{LIST}")
    try:
        assert process.stderr is not None
        asked = re.compile(r"the page (\S+) and enter the code (\S+) to")
        page, code = next(filter(None, map(asked.search, process.stderr))).groups()
        form = {"user_code": code, "username": stamp.user, "password": stamp.password}
        context = ssl.create_default_context(cafile=stamp.ca_file)
        with httpx.Client(verify=context, trust_env=False) as browser:
            assert browser.post(page, data=form).status_code == 200
        _, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert shell.groups() == GROUPS
