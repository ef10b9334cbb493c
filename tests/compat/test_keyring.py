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


def with_keyring(folder: Path) -> dict[str, str]:
    """The variables of a process whose keyring is below the folder."""
    return os.environ | {
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


def test_an_import_puts_the_secret_there(packages: Path, tmp_path: Path) -> None:
    path = os.pathsep.join(map(str, (CHECKOUT, packages)))

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stacktui", "identities", *words, "--config", config]
        return subprocess.run(
            command,
            env=with_keyring(tmp_path) | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )

    with run_in_thread(StampOptions()) as stamp:
        config = write_config(tmp_path, stamp.describe(), client_id='"another"')
        entry = {
            "client_id": stamp.client_id,
            "tenant": stamp.tenant,
            "client_secret": stamp.secret,
        }
        file = tmp_path / "service_principal_entries.json"
        file.write_text(json.dumps([{**entry, "client_secret": stamp.secret}]))
        done = run("import", file, "--secret", "keyring", "--name", "ours", "--yes")
        assert stamp.secret not in done.stdout + done.stderr + config.read_text()
        assert "secret = {keyring = true}" in config.read_text()
        assert json.loads(run("test", "ours", "--format", "json").stdout)["ok"]


def test_a_secret_of_the_keyring(packages: Path, tmp_path: Path) -> None:
    variables = with_keyring(tmp_path)

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
