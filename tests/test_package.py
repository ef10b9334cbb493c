"""The wheel, as somebody who has no checkout gets it: installed, offline too, themes included.

Needs the package index, so it runs where STACKTUI_PACKAGING=1 is set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
pytestmark = [
    pytest.mark.skipif(
        "STACKTUI_PACKAGING" not in os.environ,
        reason="builds and installs packages: set STACKTUI_PACKAGING=1 to run it",
    ),
    pytest.mark.packaging,
    pytest.mark.timeout(600),
]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel, as `python -m build` makes them."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "venv", folder / "builder", cwd=folder)
    python = folder / "builder" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "build", cwd=folder)
    run(python, "-m", "build", "--outdir", folder / "dist", CHECKOUT, cwd=folder)
    return folder / "dist"


def test_the_wheel_holds_what_it_needs_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {Path(name).name for name in names if name.startswith("stacktui/themes/")}
    assert shipped == {path.name for path in (CHECKOUT / "themes").iterdir()}
    assert "stacktui/py.typed" in names
    assert any(name.endswith(".tcss") for name in names)
    assert {name.partition("/")[0] for name in names if "dist-info" not in name} == {"stacktui"}


def test_the_source_archive_can_test_itself(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"} <= names
    assert {"themes/dark.toml", "tests/conftest.py", "stacktui/__init__.py"} <= names


def readme_line(name: str) -> str:
    """The command between the README's markers, as a reader would paste it."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    block = text.partition(f"<!-- {name} -->")[2].partition("<!-- end -->")[0]
    return block.strip().removeprefix("```bash").removesuffix("```").strip()


def test_a_box_without_internet_installs_and_runs_it(built: Path, tmp_path: Path) -> None:
    """The README's two lines, in the unpacked source and in an empty folder beside it."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    run("bash", "-c", readme_line("offline: gather"), cwd=source)
    (source / "wheels").rename(tmp_path / "wheels")
    run("bash", "-c", readme_line("offline: install"), cwd=tmp_path)
    bin_ = tmp_path / ".venv" / "bin"
    out = run(bin_ / "stacktui", "demo", "--check", cwd=tmp_path)
    assert "OK in " in out
    themes = "from stacktui.config.locations import packaged_themes as p; print(*p().iterdir())"
    listed = run(bin_ / "python", "-c", themes, cwd=tmp_path)
    assert "site-packages/stacktui/themes/dark.toml" in listed
