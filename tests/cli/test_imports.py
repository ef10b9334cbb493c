"""What a command really imports, seen in a process of its own: the guard at run time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from tests.product import write_config

HEAVY = {"httpx", "httpcore", "msal", "requests", "cryptography", "tomlkit", "textual", "rich"}


def imported_by(code: str) -> set[str]:
    """The top-level modules, and those of the product in full, that running `code` imports."""
    program = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
        "for name, module in sys.modules.items():\n    if module: print('MODULE', name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    names = [line.removeprefix("MODULE ") for line in done.stdout.splitlines() if "MODULE" in line]
    return {name if name.startswith("stacktui") else name.partition(".")[0] for name in names}


def run_main(*arguments: str) -> set[str]:
    return imported_by(
        f"sys.argv = {['stacktui', *arguments]!r}; from stacktui.cli.main import main; main()"
    )


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("check", "--help")])
def test_telling_about_itself_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    imported = run_main(*arguments)
    assert "stacktui.cli.main" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize("words", ["", "check", "history", "explain", "environments set"])
def test_completion_imports_nothing_heavy(words: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[environments.West]\narm = "https://management.west.example"\n')
    asked = {
        "_STACKTUI_COMPLETE": "bash_complete",
        "COMP_WORDS": f"stacktui {words} ",
        "COMP_CWORD": str(1 + len(words.split())),
        "STACKTUI_CONFIG": str(config),
    }
    code = f"import os; os.environ.update({asked!r}); from stacktui.cli.main import main; main()"
    imported = imported_by(code)
    assert "stacktui.cli.main" in imported
    assert not imported & HEAVY


def test_a_headless_check_never_imports_the_screen_or_the_stamp(tmp_path: Path) -> None:
    with run_in_thread(StampOptions()) as stamp:
        config = write_config(tmp_path, stamp.describe())
        imported = run_main("check", "--config", str(config))
    assert {"httpx", "msal", "stacktui.check.runner"} <= imported
    assert not imported & {"textual", "tomlkit"}
    assert not {name for name in imported if name.startswith(("stacktui.tui", "stacktui.stamp"))}


def test_a_healthy_check_pays_for_no_rule_of_faults(tmp_path: Path) -> None:
    with run_in_thread(StampOptions()) as stamp:
        imported = run_main("check", "--config", str(write_config(tmp_path, stamp.describe())))
    assert "stacktui.diagnosis.catalogue.advised" in imported
    assert "stacktui.diagnosis.catalogue.precedence" not in imported
    assert "stacktui.certificates.stores" not in imported


def test_the_stamp_imports_none_of_the_product() -> None:
    code = (
        "from stacktui.stamp import StampOptions, run_in_thread\n"
        "    with run_in_thread(StampOptions()): pass"
    )
    imported = {name for name in imported_by(code) if name.startswith("stacktui")}
    outside = {name for name in imported if not name.startswith("stacktui.stamp")}
    assert outside == {"stacktui"}


@pytest.mark.parametrize(
    "layer",
    [
        "check",
        "diagnosis",
        "environments",
        "certificates",
        "identities",
        "resources",
        "transport",
        "config",
    ],
)
def test_nothing_below_the_screen_imports_textual_or_click(layer: str) -> None:
    code = (
        f"import pkgutil, importlib, stacktui.{layer} as top\n    "
        f"names = pkgutil.walk_packages(top.__path__, 'stacktui.{layer}.')\n    "
        "[importlib.import_module(each.name) for each in names]"
    )
    imported = imported_by(code)
    # httpx imports click and rich for a command line of its own; ours must not.
    assert not imported & {"textual"}
    assert not {name for name in imported if name.startswith(("stacktui.tui", "stacktui.cli"))}


def test_a_check_does_not_import_the_command_line_of_httpx(tmp_path: Path) -> None:
    with run_in_thread(StampOptions()) as stamp:
        imported = run_main("check", "--config", str(write_config(tmp_path, stamp.describe())))
    assert "httpx" in imported
    assert not imported & {"rich", "pygments"}
