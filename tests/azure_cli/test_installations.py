"""The file of roots that each `az` of this machine trusts, against what its launcher imports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest

from stacktui.azure_cli import installations as azure_cli
from stacktui.azure_cli.installations import AzureCli, find_azure_clis
from tests.compat.az import TURN_ON, Az, find

pytestmark = pytest.mark.every_root  # copies of certifi are what is looked for
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
# What `pip` makes of azure-cli's own launcher: its first line is the Python.
PIP = """#!{python}

import os
import sys

dir = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'src')
os.execl(sys.executable, sys.executable, '-m', 'azure.cli', *sys.argv[1:])
"""
DEB = """#!/usr/bin/env bash
bin_dir=`cd "$(dirname "$BASH_SOURCE[0]")"; pwd`
AZ_INSTALLER=DEB "$bin_dir"/../../opt/az/bin/python3 -Im azure.cli "$@"
"""
RPM = """#!/usr/bin/env bash
bin_dir=`cd "$(dirname "$BASH_SOURCE[0]")"; pwd`
python_cmd=python3
if command -v {python} &>/dev/null; then python_cmd={python}; fi
AZ_INSTALLER=RPM PYTHONPATH="$bin_dir/../lib64/az/lib/{python}/site-packages" \
$python_cmd -sm azure.cli "$@"
"""
HOMEBREW = """#!/usr/bin/env bash
AZ_INSTALLER=HOMEBREW {prefix}/bin/python -Im azure.cli "$@"
"""
SCRIPT = """#!/usr/bin/env bash
{prefix}/bin/python -m azure.cli "$@"
"""
MSI = r"""::
:: Microsoft Azure CLI - Windows Installer
::
@echo off
setlocal

IF NOT EXIST "%~dp0\..\python.exe" GOTO pynotfound
SET AZ_INSTALLER=MSI
"%~dp0\..\python.exe" -IBm azure.cli %*
GOTO end
:pynotfound
echo Failed to load python executable.
exit /b 1
:end
"""
GIT_BASH = """#!/usr/bin/env bash

AZ_INSTALLER=MSI "$(dirname "$(dirname "$0")")/python.exe" -IBm azure.cli "$@"
"""
WHERE = "import certifi, os; print(os.path.realpath(certifi.where()))"
DEBIANS = "def where():\n    return '/etc/ssl/certs/ca-certificates.crt'\n"
FEDORAS = 'def where() -> str:\n    return "/etc/pki/tls/certs/ca-bundle.crt"\n'


@pytest.fixture(autouse=True)
def _nothing_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test puts on PATH; the shells that launchers need are found by `run`."""
    monkeypatch.setenv("PATH", "")


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def environment(prefix: Path, *, with_system: bool = False) -> Path:
    """A virtual environment; the folder of its packages."""
    venv.create(prefix, symlinks=True, system_site_packages=with_system)
    return prefix / "lib" / PYTHON / "site-packages"


def with_azure(packages: Path, version: str = "2.66.2", *, compiled: bool = False) -> None:
    """Packages as the CLI's are, whose main program prints which certifi it sees."""
    core = packages / "azure" / "cli" / "core"
    core.mkdir(parents=True)
    if not compiled:
        (core / "__init__.py").write_text(f'# a comment\n\n__version__ = "{version}"\n')
    (packages / "azure" / "cli" / "__main__.py").write_text(WHERE)
    (packages / f"azure_cli-{version}.dist-info").mkdir()
    (packages / "azure_cli_telemetry-1.1.0.dist-info").mkdir()


def with_certifi(packages: Path) -> Path:
    shutil.copytree(Path(certifi.where()).parent, packages / "certifi")
    return packages / "certifi" / "cacert.pem"


def said_by(launcher: Path) -> Path:
    """The bundle that the launcher's own Python imports."""
    folders = [os.path.dirname(sys.executable), "/usr/local/bin", "/usr/bin", "/bin"]
    done = subprocess.run(
        [launcher],
        env={"PATH": os.pathsep.join(folders), "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


def only(*launchers: Path) -> AzureCli:
    (found,) = find_azure_clis(map(str, launchers))
    return found


def pip(folder: Path) -> tuple[Path, Path]:
    packages = environment(folder / "venv")
    with_azure(packages)
    with_certifi(packages)
    return written(folder / "venv/bin/az", PIP.format(python=f"{folder}/venv/bin/python")), packages


def deb(folder: Path) -> tuple[Path, Path]:
    packages = environment(folder / "opt" / "az")
    with_azure(packages)
    with_certifi(packages)
    return written(folder / "usr/bin/az", DEB), packages


def rpm(folder: Path) -> tuple[Path, Path]:
    packages = folder / "usr" / "lib64" / "az" / "lib" / PYTHON / "site-packages"
    with_azure(packages)
    with_certifi(packages)
    return written(folder / "usr/bin/az", RPM.format(python=PYTHON)), packages


def homebrew(folder: Path) -> tuple[Path, Path]:
    """certifi is a formula of its own, and its cacert.pem a link to ca-certificates'."""
    keg = folder / "Cellar" / "azure-cli" / "2.66.2"
    packages = environment(keg / "libexec")
    with_azure(packages)
    other = folder / "opt" / "certifi" / "lib" / PYTHON / "site-packages"
    bundle = with_certifi(other)
    (folder / "etc" / "ca-certificates").mkdir(parents=True)
    bundle.rename(folder / "etc" / "ca-certificates" / "cert.pem")
    bundle.symlink_to(folder / "etc" / "ca-certificates" / "cert.pem")
    (packages / "homebrew_deps.pth").write_text(f"import site; site.addsitedir('{other}')\n")
    launcher = written(keg / "bin/az", HOMEBREW.format(prefix=keg / "libexec"))
    (folder / "bin").mkdir()
    (folder / "bin" / "az").symlink_to(launcher)
    return folder / "bin" / "az", packages


def pipx(folder: Path) -> tuple[Path, Path]:
    launcher, packages = pip(folder / "pipx")
    (folder / "bin").mkdir()
    (folder / "bin" / "az").symlink_to(launcher)
    return folder / "bin" / "az", packages


def install_script(folder: Path) -> tuple[Path, Path]:
    packages = environment(folder / "lib" / "azure-cli")
    with_azure(packages)
    with_certifi(packages)
    return written(folder / "bin/az", SCRIPT.format(prefix=folder / "lib/azure-cli")), packages


def spaces(folder: Path) -> tuple[Path, Path]:
    """What pip writes where the path of the Python has a blank in it."""
    packages = environment(folder / "my tools")
    with_azure(packages)
    with_certifi(packages)
    first = f"#!/bin/sh\n'''exec' \"{folder}/my tools/bin/python\" \"$0\" \"$@\"\n' '''\n"
    text = PIP.replace("#!{python}\n", first)
    return written(folder / "elsewhere/bin/az", text), packages


def beside_python(folder: Path) -> tuple[Path, Path]:
    """The docker image's, and whatever finds its Python by PATH: packages beside the launcher."""
    packages = environment(folder)
    with_azure(packages)
    with_certifi(packages)
    text = '#!/bin/sh\nexec "$(dirname "$0")/python" -m azure.cli "$@"\n'
    return written(folder / "bin/az", text), packages


LAYOUTS = [pip, deb, rpm, homebrew, pipx, install_script, spaces, beside_python]


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_bundle_is_the_one_that_the_launcher_imports(
    layout: Callable[[Path], tuple[Path, Path]], tmp_path: Path
) -> None:
    launcher, packages = layout(tmp_path)
    found = only(launcher)
    assert found.cacert == said_by(launcher)
    assert found.cacert.is_file()
    assert found.launcher == launcher
    assert found.version == "2.66.2"
    assert found.prefix == packages.parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
def test_a_venv_that_sees_the_systems_packages_uses_its_certifi(tmp_path: Path) -> None:
    # The system's Python is one that has certifi, as it were: a venv's home is any folder.
    packages = environment(tmp_path / "venv", with_system=True)
    with_azure(packages)
    base = tmp_path / "base"
    bundle = with_certifi(base / "lib" / PYTHON / "site-packages")
    settings = tmp_path / "venv" / "pyvenv.cfg"
    lines = [line for line in settings.read_text().splitlines() if not line.startswith("home")]
    settings.write_text("\n".join([f"home = {base}/bin", *lines]))
    text = PIP.format(python=tmp_path / "venv/bin/python")
    assert only(written(tmp_path / "venv/bin/az", text)).cacert == bundle


@pytest.mark.parametrize(
    ("core", "bundle"),
    [
        (DEBIANS, "/etc/ssl/certs/ca-certificates.crt"),
        (FEDORAS, "/etc/pki/tls/certs/ca-bundle.crt"),
    ],
)
def test_a_distributions_certifi_names_the_systems_bundle(
    tmp_path: Path, core: str, bundle: str
) -> None:
    launcher, packages = pip(tmp_path)
    (packages / "certifi" / "core.py").write_text(core)
    (packages / "certifi" / "__init__.py").write_text("from .core import where\n")
    assert only(launcher).cacert == Path(bundle).resolve() == said_by(launcher)


def test_a_bundle_that_was_deleted_is_still_named(tmp_path: Path) -> None:
    launcher, packages = pip(tmp_path)
    (packages / "certifi" / "cacert.pem").unlink()
    assert only(launcher).cacert == packages / "certifi" / "cacert.pem"


@pytest.mark.parametrize(("name", "text"), [("az.cmd", MSI), ("az", GIT_BASH)])
def test_the_msi(tmp_path: Path, name: str, text: str) -> None:
    home = tmp_path / "Program Files" / "Azure" / "CLI2"
    packages = home / "Lib" / "site-packages"
    with_azure(packages, compiled=True)
    bundle = with_certifi(packages)
    written(home / "python.exe", "MZ")
    launcher = written(home / "wbin" / name, text)
    assert only(launcher) == AzureCli(launcher, home, "2.66.2", bundle)


def test_the_packages_of_the_launchers_python_count_not_those_of_another(tmp_path: Path) -> None:
    launcher, packages = pip(tmp_path)
    for other in ("python3.8", "python3.99"):  # what an upgrade of Python left behind
        shutil.copytree(packages, tmp_path / "venv" / "lib" / other / "site-packages")
    assert only(launcher).cacert == said_by(launcher) == packages / "certifi" / "cacert.pem"


def test_without_metadata_or_code_the_version_is_empty(tmp_path: Path) -> None:
    launcher, packages = pip(tmp_path)
    (packages / "azure" / "cli" / "core" / "__init__.py").write_text('__version__ = "\x1b[31m"')
    (packages / "azure_cli-2.66.2.dist-info").rmdir()
    assert only(launcher).version == ""


def test_several_installations_are_all_found_path_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = deb(tmp_path / "1")
    two, _ = pip(tmp_path / "2")
    three, _ = rpm(tmp_path / "3")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "az").symlink_to(one)
    folders = [two.parent, tmp_path / "missing", one.parent, tmp_path / "again"]
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    found = find_azure_clis([str(three), str(two), str(tmp_path / "no" / "az")])
    assert [each.launcher for each in found] == [two, one, three]


def test_a_home_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    launcher, _ = install_script(tmp_path)
    assert launcher in [each.launcher for each in find_azure_clis()]


@pytest.mark.parametrize("text", ["", "\x7fELF\0\0", "#!/bin/sh\nexit 0\n", '"' * 5000, "\0" * 500])
def test_what_is_no_launcher_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PATH", str(written(tmp_path / "az", text).parent))
    assert find_azure_clis(()) == ()


@pytest.mark.timeout(10)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_and_a_folder_are_no_launchers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1").mkdir()
    os.mkfifo(tmp_path / "1" / "az", 0o777)
    (tmp_path / "2" / "az").mkdir(parents=True)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / each) for each in "12"))
    assert find_azure_clis(()) == ()


def shim(folder: Path, python: Path) -> Path:
    """A launcher of no known form, which says what Python it has when it is asked."""
    text = f"#!/bin/sh\necho called >> {folder}/calls\necho \"Python location '{python}'\"\n"
    return written(folder / "shims" / "az", text)


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
def test_a_launcher_of_no_known_form_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, packages = pip(tmp_path)
    launcher = shim(tmp_path, tmp_path / "venv" / "bin" / "python")
    monkeypatch.setenv("PATH", str(launcher.parent))
    for _ in range(3):
        (found,) = find_azure_clis(())
    assert found == AzureCli(launcher, tmp_path / "venv", "2.66.2", packages / "certifi/cacert.pem")
    assert (tmp_path / "calls").read_text() == "called\n"


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
def test_only_the_az_that_a_shell_would_run_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _ = pip(tmp_path)
    launcher = shim(tmp_path, Path(sys.executable))
    folders = [known.parent, launcher.parent]
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    assert [each.launcher for each in find_azure_clis([str(launcher)])] == [known]
    assert not (tmp_path / "calls").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
def test_a_python_without_the_cli_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when `az` runs in a container, and what it says is true only there."""
    monkeypatch.setenv("PATH", str(shim(tmp_path, Path(sys.executable)).parent))
    assert find_azure_clis(()) == ()
    assert (tmp_path / "calls").exists()


@pytest.mark.timeout(30)
@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
@pytest.mark.parametrize(
    "work", ["sleep 1234 & sleep 1234", "exec yes", "exec >&-; sleep 1234"], ids=str.split
)
def test_one_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    monkeypatch.setattr(azure_cli, "_PATIENCE", 0.5)
    text = f"#!/bin/sh\nPATH=/usr/bin:/bin\necho $$ > {tmp_path}/group\n{work}\n"
    monkeypatch.setenv("PATH", str(written(tmp_path / "bin" / "az", text).parent))
    start = time.monotonic()
    assert find_azure_clis(()) == ()
    assert time.monotonic() - start < 10
    group = int((tmp_path / "group").read_text())
    deadline = time.monotonic() + 5
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(group)


def alive(group: int) -> bool:
    """Whether a process of this group still runs; one that nobody waited for does not."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = status.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of_group) == group and state != "Z":
            return True
    return False


@pytest.fixture(scope="session")
def real() -> Path:
    """Once a session, as the variables that name it are taken away from each test."""
    path = find()
    if path is None:
        pytest.skip(TURN_ON)
    return path


@pytest.mark.compat
@pytest.mark.timeout(900)  # it may have to be installed first
def test_a_real_az(real: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(real.parent))
    (found,) = find_azure_clis(())
    # Asked itself: the version, and the Python, whose certifi says where its bundle is.
    monkeypatch.setenv("PATH", os.pathsep.join([str(real.parent), "/usr/bin", "/bin"]))
    said = Az(real, tmp_path).ok("--version")
    assert ["azure-cli", found.version] in [line.split()[:2] for line in said.splitlines()]
    python = said.split("Python location '")[1].split("'")[0]
    done = subprocess.run([python, "-c", WHERE], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == found.cacert
    assert found.prefix == Path(python).parent.parent
