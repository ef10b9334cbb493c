"""A damaged certifi: each remedy, executed where a stacktui of its own is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import certifi
import pytest

from stacktui.certificates.certifi_repair import Installer, repair_of
from stacktui.certificates.files import SYSTEM_BUNDLES
from stacktui.stamp.running import RunningStamp
from tests.compat.installers import installers_in
from tests.product import PATIENCE, write_config
from tests.support.authority import STRANGERS

pytestmark = pytest.mark.every_root  # certifi itself is what is looked at

PACKAGES = Path(sysconfig.get_path("purelib"))
CHECKOUT = Path(__file__).parents[2]
DAMAGED = b"-----BEGIN CERTIFICATE-----\nAAAA\n"


class Installed:
    """A virtual environment with the product and with a certifi of its own, as `installer` has it.

    Its packages are this environment's. What is installed comes from a folder, without a network.
    """

    def __init__(self, folder: Path, installer: Installer) -> None:
        self.prefix = folder / "venvs" / "stacktui"
        command = [sys.executable, "-m", "venv", "--without-pip", str(self.prefix)]
        subprocess.run(command, check=True)
        self.python = self.prefix / "bin" / "python"
        (here,) = self.prefix.glob("lib/python*/site-packages")
        others = folder / "packages"
        others.mkdir()
        for each in PACKAGES.iterdir():
            if each.name.startswith("certifi"):
                shutil.copytree(each, here / each.name)
            elif installer is not Installer.UV or not each.name.startswith("pip"):
                (others / each.name).symlink_to(each)
        (here / "others.pth").write_text(f"{CHECKOUT}\n{others}\n")
        self.bundle = here / "certifi" / "cacert.pem"
        if installer is Installer.PIPX:
            (self.prefix / "pipx_metadata.json").write_text("{}")
        if installer is Installer.UV:
            with (self.prefix / "pyvenv.cfg").open("a") as file:
                file.write("uv = 0.1\n")
        wheels = folder / "wheels"
        wheels.mkdir()
        _write_wheel(wheels)
        kept = {key: each for key, each in os.environ.items() if key[:3] not in ("PIP", "UV_")}
        self.environment = kept | {
            "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels),
            "PIPX_HOME": str(folder), "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels),
            "UV_NO_CACHE": "1", "UV_NO_CONFIG": "1", "UV_OFFLINE": "1",
        }  # fmt: skip

    def check(self, config: Path, command: str = "true") -> dict[str, Any]:
        """Return the document of a check in a shell in which `command` succeeded."""
        check = '"$PYTHON" -m stacktui check --config "$CONFIG" --format json'
        done = subprocess.run(
            ["bash", "-c", f"{{ {command}\n}} >&2 || exit 9\n{check}"],
            env=self.environment | {"PYTHON": str(self.python), "CONFIG": str(config)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode in (0, 1), done
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def _write_wheel(folder: Path) -> None:
    """Write the wheel that the installed certifi came from."""
    found = distribution("certifi")
    name = folder / f"certifi-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(name, "w") as wheel:
        for each in found.files or ():
            if "__pycache__" not in each.parts and each.name not in ("INSTALLER", "REQUESTED"):
                wheel.write(Path(str(found.locate_file(each))), str(each))


# Tests with real clients have pipx and uv installed.
INSTALLERS = [
    pytest.param(each, marks=[] if each is Installer.PIP else pytest.mark.compat)
    for each in Installer
]


def remedies_of(document: dict[str, Any]) -> list[str]:
    return [each["bash"] for each in document["verdict"]["remedies"]]


@pytest.mark.parametrize("content", [None, DAMAGED])
@pytest.mark.parametrize("installer", INSTALLERS)
def test_certifi_is_reinstalled_by_what_installed_it(
    installer: Installer, content: bytes | None, entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    installed = Installed(tmp_path, installer)
    if installer is not Installer.PIP and shutil.which(installer) is None:
        if (programs := installers_in(tmp_path / "programs")) is None:
            pytest.skip(f"{installer} is not installed: STACKTUI_COMPAT=1 allows that")
        installed.environment["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    config = write_config(tmp_path, entra_stamp.describe())
    installed.bundle.unlink()
    if content is not None:
        installed.bundle.write_bytes(content)
    document = installed.check(config)
    assert document["verdict"]["id"] == ("trust-file-bad" if content else "trust-file-missing")
    assert not any("mv" in command for command in remedies_of(document))
    if content and installer is Installer.PIP and any(map(os.path.isfile, SYSTEM_BUNDLES)):
        # Until then the system's roots are used.
        remedies = document["verdict"]["remedies"]
        (remedy,) = (each for each in remedies if "REQUESTS_CA_BUNDLE" in each["bash"])
        assert remedy["powershell"].startswith("$env:REQUESTS_CA_BUNDLE = '")
        after = installed.check(config, remedy["bash"])
        assert (after["ok"], after["verdict"]) == (True, None)
    (command,) = (each for each in remedies_of(document) if "install certifi" in each)
    after = installed.check(config, command)
    assert (after["ok"], after["verdict"]) == (True, None)
    assert installed.bundle.read_bytes() == Path(certifi.where()).read_bytes()


def test_the_system_s_bundle_is_named_only_if_it_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = tmp_path / "bad.pem", tmp_path / "good.pem"
    bad.write_bytes(DAMAGED)
    good.write_bytes(STRANGERS.root.pem)
    link = tmp_path / "link.pem"
    link.symlink_to(good)
    module = "stacktui.certificates.certifi_repair"
    monkeypatch.setattr(f"{module}._system_files", lambda: (str(bad), str(link), str(good)))
    assert repair_of(certifi.where()).system_bundle == str(link)
    assert repair_of(str(good)).system_bundle == ""


def test_a_bundle_of_the_system_s_is_not_reinstalled_as_certifi_s(tmp_path: Path) -> None:
    """As in Debian and Fedora, whose certifi returns it."""
    assert repair_of(certifi.where()).installer is Installer.PIP
    assert repair_of(str(tmp_path / "ca-certificates.crt")).installer is None
