"""A secret in the keyring of the real package `keyring`, put there by the commands of the fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from tests.product import write_config

from .own_venv import CHECKOUT, own_venv, wanted


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the packages, for the interpreter of the tests."""
    if not wanted():
        pytest.skip("the package keyring is needed: set STACKTUI_COMPAT=1 to have it installed")

    def found(folder: Path) -> Path:
        return next(iter(folder.glob("lib/python*/site-packages/keyrings/alt/..")), Path("none"))

    folder = own_venv(
        "keyring", ["keyring==25.*", "keyrings.alt==5.*"], lambda folder: found(folder).exists()
    )
    return found(folder).resolve().parent


def test_a_secret_of_the_keyring(packages: Path, tmp_path: Path) -> None:
    variables = os.environ | {
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }

    def check(config: Path, *folders: Path) -> dict[str, Any]:
        path = os.pathsep.join(map(str, (CHECKOUT, *folders)))
        command = [sys.executable, "-m", "stacktui", "check", "--format", "json", "--config"]
        done = subprocess.run(
            [*command, config],
            env=variables | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    with run_in_thread(StampOptions()) as stamp:
        config = write_config(tmp_path, stamp.describe(), secret="{ keyring = true }")
        verdict = check(config)["verdict"]
        assert "pip install keyring" in verdict["remedies"][0]["bash"]
        verdict = check(config, packages)["verdict"]
        assert (verdict["id"], verdict["evidence"]) == (
            "secret-missing", ["keyring entry stacktui/tester: there is no such entry"]
        )  # fmt: skip
        subprocess.run(
            ["bash", "-c", verdict["remedies"][0]["bash"]],
            env=variables | {"PYTHONPATH": str(packages)},
            input=f"{stamp.secret}\n",
            text=True,
            check=True,
        )
        document = check(config, packages)
        assert document["ok"], document["verdict"]
        assert stamp.secret not in str(document)
        write_config(tmp_path, stamp.describe(), secret='{ keyring = "stacktui/tester" }')
        assert check(config, packages)["ok"]
