"""Packages that remedies install, by pip and by uv, into an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.diagnosis.remedy_runs import TEMPLATES
from tests.support.pasted import Shell

from .installers import installers_in

PIN = "azure-mgmt-resource==24.0.0"
INSTALLED = {
    "{python} -m pip install keyring": "keyring",
    "{python} -m pip install {pins}": "azure-mgmt-resource",
    "uv pip install --python {python} {pins}": "azure-mgmt-resource",
}


@pytest.mark.parametrize("command", INSTALLED)
def test_a_package_is_installed_there(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = installers_in(tmp_path / "programs")
    if programs is None:
        pytest.skip("packages are installed: set STACKTUI_COMPAT=1 to allow that")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PIP_NO_DEPS", "1")  # a minute less
    # As pip does; by itself uv trusts the roots that it brings.
    monkeypatch.setenv("UV_SYSTEM_CERTS", "1")
    by_uv = command.startswith("uv ")
    venv = [
        sys.executable,
        "-m",
        "venv",
        *(["--without-pip"] if by_uv else []),
        tmp_path / "an env",
    ]
    subprocess.run(venv, check=True)
    python = tmp_path / "an env" / "bin" / "python"
    template = TEMPLATES[command]
    pasted = template.fill(python=str(python), pins=lambda quote: quote(PIN)).bash
    shell = Shell(tmp_path)
    done = shell.run(pasted, seconds=300)
    assert done.returncode == 0, done
    found = f"from importlib.metadata import version; version('{INSTALLED[command]}')"
    subprocess.run([python, "-c", found], check=True)
