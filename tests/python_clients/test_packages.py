"""Which Python environments are found, and what their files say of them; hostile ones too."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from stacktui.python_clients.packages import PythonEnvironment, find_environments
from stacktui.python_clients.sdk_releases import last_for_stamp, too_new
from tests.support.python_environments import install, python_environment, site_packages

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
VERSION = ".".join(map(str, sys.version_info[:3]))
SDK = "azure_mgmt_resource-24.0.0"


@pytest.fixture(autouse=True)
def _nothing_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "none"))


def only(*named: Path) -> PythonEnvironment:
    (found,) = find_environments(named)
    return found


def names(environment: PythonEnvironment) -> list[str]:
    return [str(each) for each in environment.packages]


def test_an_environment_is_told_by_its_files(tmp_path: Path) -> None:
    packages = (SDK, "azure_identity-1.27.0", "requests-2.32.3", "azure.core-1.41.0")
    python = python_environment(tmp_path / "venv", *packages, roots=b"")
    found = only(tmp_path / "venv")
    assert (found.python, found.version) == (python, VERSION)
    assert names(found) == [
        "azure-core 1.41.0",
        "azure-identity 1.27.0",
        "azure-mgmt-resource 24.0.0",
    ]
    assert found.ca_bundle == site_packages(tmp_path / "venv").resolve() / "certifi" / "cacert.pem"
    assert found.has_client
    assert too_new(found) == ()


def test_the_same_environment_is_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = python_environment(tmp_path / "venv", SDK)
    (tmp_path / "link").symlink_to(tmp_path / "venv")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    folders = (tmp_path / "link" / "bin", tmp_path / "venv" / "bin", Path("relative"))
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    named = (python.with_name("python3"), tmp_path / "link", python.with_name(PYTHON))
    assert only(*named).python == python


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX", "PATH"])
def test_where_one_is_looked_for(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = python_environment(tmp_path / "venv", SDK)
    monkeypatch.setenv(variable, str(python.parent if variable == "PATH" else tmp_path / "venv"))
    assert only().python == python


def test_the_versions_that_pyenv_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("3.11.7", "app"):
        python_environment(tmp_path / "versions" / name, SDK)
    shim = tmp_path / "shims" / "python"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\n")
    shim.chmod(0o755)
    (tmp_path / "version").write_text("3.11.7\n")
    monkeypatch.setenv("PATH", str(shim.parent))
    assert only().python == tmp_path / "versions" / "3.11.7" / "bin" / "python"
    monkeypatch.setenv("PYENV_VERSION", "gone:app")
    assert only().python == tmp_path / "versions" / "app" / "bin" / "python"


def base(folder: Path) -> Path:
    """A Python that is no virtual environment, with a version in its name."""
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / PYTHON
    python.write_bytes(b"\x7fELF")
    python.chmod(0o755)
    (folder / "bin" / "python3").symlink_to(python)
    return python


def test_a_python_of_the_system(tmp_path: Path) -> None:
    """It takes the packages of its own version, and what its user installed."""
    base(tmp_path / "usr")
    library = tmp_path / "usr" / "lib"
    install(library / PYTHON / "dist-packages", "azure_identity-1.27.0", roots=b"")
    install(library / "python3" / "dist-packages", "azure_core-1.41.0")
    install(library / "python3.2" / "site-packages", "azure_mgmt_compute-36.0.0")
    own = Path(os.environ["HOME"]) / ".local" / "lib" / PYTHON / "site-packages"
    install(own, SDK, "azure_identity-1.28.0")
    found = only(tmp_path / "usr")
    assert (found.python, found.version) == (tmp_path / "usr" / "bin" / "python3", PYTHON[6:])
    assert names(found) == [
        "azure-core 1.41.0",
        "azure-identity 1.28.0",
        "azure-mgmt-resource 24.0.0",
    ]
    assert found.ca_bundle == library / PYTHON / "dist-packages" / "certifi" / "cacert.pem"


def test_what_an_environment_shares_with_the_system(tmp_path: Path) -> None:
    python = base(tmp_path / "usr")
    install(tmp_path / "usr" / "lib" / PYTHON / "site-packages", SDK, "azure_core-1.0.0", roots=b"")
    for name, shared in (("own", "false"), ("shared", "true")):
        folder = tmp_path / name
        install(folder / "lib" / PYTHON / "site-packages", "azure_core-1.41.0")
        (folder / "bin").mkdir()
        (folder / "bin" / "python").symlink_to(python)
        settings = f"home = {python.parent}\ninclude-system-site-packages = {shared}\n"
        (folder / "pyvenv.cfg").write_text(settings + "version_info = 3.10.1.final.0\n")
    assert names(only(tmp_path / "own")) == ["azure-core 1.41.0"]
    found = only(tmp_path / "shared")
    assert names(found) == ["azure-core 1.41.0", "azure-mgmt-resource 24.0.0"]
    assert found.version == "3.10.1"
    assert found.ca_bundle is not None


@pytest.mark.parametrize("python", ["Scripts/python.exe", "python.exe"])
def test_windows(python: str, tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    install(folder / "Lib" / "site-packages", SDK, roots=b"")
    (folder / python).parent.mkdir(exist_ok=True)
    (folder / python).touch(0o755)
    if "Scripts" in python:
        (folder / "pyvenv.cfg").write_text("home = C:\\Python312\nversion = 3.12.4\n")
    found = only(folder)
    assert found.python == folder / python
    assert found.version == ("3.12.4" if "Scripts" in python else "")
    assert names(found) == ["azure-mgmt-resource 24.0.0"]


def test_what_a_pth_file_adds(tmp_path: Path) -> None:
    python_environment(tmp_path / "venv")
    install(tmp_path / "elsewhere", SDK, roots=b"")
    (site_packages(tmp_path / "venv") / "more.pth").write_text(f"{tmp_path / 'elsewhere'}\n")
    found = only(tmp_path / "venv")
    assert names(found) == ["azure-mgmt-resource 24.0.0"]
    assert found.ca_bundle == tmp_path / "elsewhere" / "certifi" / "cacert.pem"


def test_nothing_is_said_of_others(tmp_path: Path) -> None:
    """Of a Python without azure packages, and of az's own."""
    python_environment(tmp_path / "plain", "requests-2.32.3", roots=b"")
    python_environment(tmp_path / "az", SDK, "azure_cli_core-2.66.2", "azure_cli-2.66.2")
    (tmp_path / "file").touch()
    assert find_environments([*tmp_path.iterdir(), tmp_path / "gone"]) == ()


def test_an_upgrade_is_seen(tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", SDK)
    assert names(only(tmp_path / "venv")) == ["azure-mgmt-resource 24.0.0"]
    folder = site_packages(tmp_path / "venv")
    install(folder, "azure_mgmt_resource-26.0.0")  # what the removal of the old one left is ignored
    (folder / f"{SDK}.dist-info" / "METADATA").unlink()
    assert names(only(tmp_path / "venv")) == ["azure-mgmt-resource 26.0.0"]


@pytest.mark.parametrize(
    ("package", "pin"),
    [
        ("azure_mgmt_resource-25.0.0", "azure-mgmt-resource==24.0.0"),
        ("azure_mgmt_resource-25.0.0b1", "azure-mgmt-resource==24.0.0"),
        ("azure_mgmt_storage-23.0.0", "azure-mgmt-storage<23"),
        ("azure_mgmt_keyvault-12.0.0", "azure-mgmt-keyvault<12"),
        ("azure_mgmt_compute-36.0.0", "azure-mgmt-compute<36"),
        ("azure_mgmt_storage-22.2.0", ""),
        ("azure_mgmt_keyvault-11.0.0", ""),
        ("azure_mgmt_compute-35.0.0", ""),
        ("azure_mgmt_network-99.0.0", ""),
    ],
)
def test_what_is_too_new(package: str, pin: str, tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", package)
    assert [last_for_stamp(each) for each in too_new(only(tmp_path / "venv"))] == [pin] * bool(pin)


def test_what_talks_to_arm(tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", "azure_mgmt_core-1.6.0", "azure_identity-1.27.0")
    assert not only(tmp_path / "venv").has_client


def settings_of(folder: Path) -> Path:
    return folder.parents[2] / "pyvenv.cfg"


HOSTILE: dict[str, Callable[[Path], object]] = {
    "escape sequences": lambda folder: install(folder, "azure_\x1b[2J-1.0", "azure_core-\x1b]0;x"),
    "bidi": lambda folder: install(folder, "azure_\u202ecore-1.0", "azure_core-1.0\u202e"),
    "no version": lambda folder: install(folder, "azure_core-", "azure_core", "azure_core-v1"),
    "not UTF-8": lambda folder: os.mkdir(os.fsencode(folder) + b"/azure_\xff-1.0.dist-info"),
    "digits": lambda folder: install(folder, "azure_core-" + "9" * 60),
    "a file for a folder": lambda folder: (folder / "azure_core-1.0.dist-info").touch(),
    "a loop": lambda folder: (folder / "azure_core-1.0.dist-info").symlink_to("."),
    "a dangling link": lambda folder: (folder / "azure_core-1.0.dist-info").symlink_to("gone"),
    "a pipe": lambda folder: os.mkfifo(folder / "x.pth"),
    "a large .pth": lambda folder: (folder / "x.pth").write_text("a\n" * 1_000_000),
    "zeros in a .pth": lambda folder: (folder / "x.pth").write_bytes(b"\0a\nimport \0\n"),
    "zeros in pyvenv.cfg": lambda folder: settings_of(folder).write_bytes(b"\0=\0\n"),
    "a pipe for pyvenv.cfg": lambda folder: (
        settings_of(folder).unlink(), os.mkfifo(settings_of(folder)),
    ),
    "many": lambda folder: [(folder / f"package{number}").touch() for number in range(30_000)],
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_content(content: str, tmp_path: Path) -> None:
    python_environment(tmp_path / "venv")
    HOSTILE[content](site_packages(tmp_path / "venv"))
    started = perf_counter()
    assert find_environments([tmp_path / "venv"]) == ()
    assert perf_counter() - started < 2


def test_a_version_of_python_is_harmless(tmp_path: Path) -> None:
    python_environment(tmp_path / "venv", SDK)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("home = /\nversion = \x1b[2J3.11\n")
    assert only(tmp_path / "venv").version == PYTHON[6:]


def test_what_may_not_be_read(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    python_environment(tmp_path / "venv", SDK)
    folder = site_packages(tmp_path / "venv")
    folder.chmod(0)
    try:
        assert find_environments([tmp_path / "venv"]) == ()
    finally:
        folder.chmod(0o755)


def test_broken_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("python3")
    (tmp_path / "bin" / "python3").symlink_to("python")
    (tmp_path / "bin" / PYTHON).symlink_to("gone")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{'/' + 'x' * 5000}")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "gone"))
    assert find_environments([tmp_path / "bin" / "python", Path("x" * 5000)]) == ()
