"""What a command really imports, seen in a process of its own: the guard at run time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Set
from pathlib import Path

import pytest

from stacktui.stamp.running import RunningStamp
from tests.product import write_config

HEAVY = {"httpx", "httpcore", "msal", "requests", "cryptography", "tomlkit", "textual", "rich"}


def imported_by(*codes: str) -> set[str]:
    """The top-level modules, and those of the product in full, that running these imports, one
    after another in one process."""
    tried = "".join(f"try:\n    {code}\nexcept SystemExit:\n    pass\n" for code in codes)
    program = (
        f"import sys\n{tried}"
        "for name, module in sys.modules.items():\n    if module: print('MODULE', name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    names = [line.removeprefix("MODULE ") for line in done.stdout.splitlines() if "MODULE" in line]
    return {name if name.startswith("stacktui") else name.partition(".")[0] for name in names}


def main(*arguments: str) -> str:
    return f"sys.argv = {['stacktui', *arguments]!r}; from stacktui.cli.main import main; main()"


@pytest.fixture(scope="module")
def by_a_check(
    entra_stamp: RunningStamp, tmp_path_factory: pytest.TempPathFactory
) -> frozenset[str]:
    """What a headless check of a healthy stamp imports."""
    config = write_config(tmp_path_factory.mktemp("check"), entra_stamp.describe())
    return frozenset(imported_by(main("check", "--config", str(config))))


def test_telling_about_itself_imports_nothing_heavy() -> None:
    imported = imported_by(main("--version"), main("--help"), main("check", "--help"))
    assert "stacktui.cli.main" in imported
    assert not imported & HEAVY


def completing(words: str, config: Path) -> str:
    asked = {
        "_STACKTUI_COMPLETE": "bash_complete",
        "COMP_WORDS": f"stacktui {words} ",
        "COMP_CWORD": str(1 + len(words.split())),
        "STACKTUI_CONFIG": str(config),
    }
    return f"import os; os.environ.update({asked!r}); {main()}"


def test_completion_imports_nothing_heavy(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[environments.West]\narm = "https://management.west.example"\n')
    words = ("", "check", "history", "explain", "environments set")
    imported = imported_by(*(completing(each, config) for each in words))
    assert "stacktui.cli.main" in imported
    assert not imported & HEAVY


def test_identities_are_listed_without_what_signs_in(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[identities.me]\nkind = "device-code"\n')
    words = (("list",), ("show", "me"))
    imported = imported_by(*(main("identities", *each, "--config", str(config)) for each in words))
    assert "stacktui.cli.identities.show" in imported
    assert imported & HEAVY == {"rich"}  # which measures text


def test_a_headless_check_never_imports_the_screen_or_the_stamp(by_a_check: Set[str]) -> None:
    assert {"httpx", "msal", "stacktui.check.runner"} <= by_a_check
    assert not by_a_check & {"textual", "tomlkit"}
    assert not {name for name in by_a_check if name.startswith(("stacktui.tui", "stacktui.stamp"))}


def test_a_healthy_check_pays_for_no_rule_of_faults(by_a_check: Set[str]) -> None:
    assert "stacktui.diagnosis.catalogue.advised" in by_a_check
    assert "stacktui.diagnosis.catalogue.precedence" not in by_a_check
    assert "stacktui.certificates.stores" not in by_a_check


def test_the_stamp_imports_none_of_the_product() -> None:
    code = (
        "from stacktui.stamp import StampOptions, run_in_thread\n"
        "    with run_in_thread(StampOptions()): pass"
    )
    imported = {name for name in imported_by(code) if name.startswith("stacktui")}
    outside = {name for name in imported if not name.startswith("stacktui.stamp")}
    assert outside == {"stacktui"}


LAYERS = ("check", "diagnosis", "environments", "certificates", "identities", "resources",
          "transport", "config")  # fmt: skip


def test_nothing_below_the_screen_imports_textual_or_click() -> None:
    codes = (
        f"import pkgutil, importlib, stacktui.{layer} as top\n    "
        f"names = pkgutil.walk_packages(top.__path__, 'stacktui.{layer}.')\n    "
        "[importlib.import_module(each.name) for each in names]"
        for layer in LAYERS
    )
    imported = imported_by(*codes)
    # httpx imports click and rich for a command line of its own; ours must not.
    assert not imported & {"textual"}
    assert not {name for name in imported if name.startswith(("stacktui.tui", "stacktui.cli"))}


def test_a_check_does_not_import_the_command_line_of_httpx(by_a_check: Set[str]) -> None:
    assert "httpx" in by_a_check
    assert not by_a_check & {"rich", "pygments"}
