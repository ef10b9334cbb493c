"""The first frame imports nothing slow, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .canned import CONFIG

HEAVY = ("httpx", "httpcore", "h11", "msal", "requests", "cryptography", "tomlkit", "click",
         "sqlite3")  # fmt: skip
PROGRAM = """
import sys
from pathlib import Path
from stacktui.tui.app import StacktuiApp

class PrintModules(StacktuiApp):
    def on_ready(self):
        for name, module in sys.modules.items():
            if module is not None:  # None marks a forbidden import
                print("MODULE", name, file=sys.__stdout__)
        self.exit()

PrintModules(Path(sys.argv[1])).run(headless=True, size=(120, 40))
"""


def test_it_needs_no_network_library_and_no_report(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("MODULE")}
    assert "stacktui.tui.screens.dashboard" in imported
    assert not {name.partition(".")[0] for name in imported} & set(HEAVY)
    assert not imported & {
        "stacktui.tui.live_check",
        "stacktui.check.events",
        "stacktui.check.history",
        "stacktui.check.streak",
        "stacktui.check.runner",
    }
    heavy = ("chain", "stores", "scan", "matrix", "verify", "bundle")
    assert not imported & {f"stacktui.certificates.{name}" for name in heavy}
