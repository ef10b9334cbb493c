"""In tmux with its stock configuration: an 80x24 terminal leaves a pane of 80x23."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from tests.product import config_text

PATIENCE = 20.0
pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Tmux:
    """A tmux server of its own, with one session on a client of 80x24."""

    def __init__(self, folder: Path) -> None:
        environ = {name: value for name, value in os.environ.items() if name != "TMUX"}
        self._environ = environ | {"LANG": "C.UTF-8", "TMUX_TMPDIR": str(folder)}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", *arguments],
            env=self._environ, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        return done.stdout

    def until(self, text: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while text not in (shown := self.run("capture-pane", "-p")):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        return shown


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    server = Tmux(tmp_path)
    try:
        yield server
    finally:
        server.run("kill-server")


def test_stock_tmux_in_80x24(tmux: Tmux, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault="arm-forbidden")) as stamp:
        config = tmp_path / "config.toml"
        config.write_text(config_text(stamp.describe()), encoding="utf-8")
        command = f"env TMPDIR={tmp_path} {sys.executable} -m stacktui --config {config}"
        tmux.run("new-session", "-d", "-x", "80", "-y", "23", command)
        tmux.until("not checked")
        tmux.run("send-keys", "c")
        shown = tmux.until("y copies")
        assert "✗ arm-forbidden" in shown
        assert max(map(len, shown.splitlines())) <= 80
        tmux.run("send-keys", "y")
        said = tmux.until("in tmux's buffer: prefix ]")
        copied = tmux.run("show-buffer")
        assert copied
        assert copied.splitlines()[0][:20] in said
        tmux.run("send-keys", "w")
        tmux.until("written to")
        (written,) = tmp_path.glob("stacktui-*.txt")
        assert written.read_text(encoding="utf-8").rstrip("\n") == copied.rstrip("\n")
        assert written.stat().st_mode & 0o777 == 0o600
        tmux.run("send-keys", "q")
