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
        shown = tmux.until("y1 ")
        assert "✗ arm-forbidden" in shown
        assert max(map(len, shown.splitlines())) <= 80
        tmux.run("send-keys", "y", "1")
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


@pytest.mark.parametrize(
    ("width", "height", "variables"),
    [
        (40, 10, {"TERM": "screen-256color"}),
        (40, 10, {"TERM": "linux"}),
        (80, 23, {"NO_COLOR": "1"}),
        (120, 40, {"LANG": "C", "LC_ALL": "C"}),
        (200, 50, {"TERM": "screen-256color"}),
    ],
)
def test_the_verdict_its_side_and_the_fix_are_on_every_screen(
    tmux: Tmux, tmp_path: Path, width: int, height: int, variables: dict[str, str]
) -> None:
    with run_in_thread(StampOptions(fault="token-expired-on-arrival")) as stamp:
        config = tmp_path / "config.toml"
        config.write_text(config_text(stamp.describe()), encoding="utf-8")
        chosen = {"STACKTUI_ASCII": ""} | variables
        settings = " ".join(f"{name}={value}" for name, value in chosen.items())
        command = f"env {settings} {sys.executable} -m stacktui --config {config}"
        # As in the README: what is copied reaches the terminal in front of the user.
        tmux.run("set-option", "-g", "set-clipboard", "on", ";",
                 "new-session", "-d", "-x", str(width), "-y", str(height), command)  # fmt: skip
        tmux.until("not checked")
        tmux.run("send-keys", "c")
        shown = tmux.until("token-expired-on-arrival")
        for word in ("side:", "fix ", "keys", "quit"):
            assert word in shown, shown
        assert max(map(len, shown.splitlines())) <= width
        assert shown.isascii() or "LC_ALL" not in variables
        tmux.run("send-keys", "Y")
        tmux.until("tmux's buffer")
        assert tmux.run("show-buffer").startswith("# stacktui: Test: token-expired-on-arrival")
        tmux.run("send-keys", "q")


EDITOR = """\
#!/bin/sh
env > {folder}/environment
printf '%s\\n' "$*" > {folder}/arguments
printf 'THE EDITOR HAS THE TERMINAL'
read answer
echo "$answer" > {folder}/answer
printf '[environments.West]\\narm = "https://management.west.example"\\n' > {folder}/config.toml
"""


def editor_in(folder: Path) -> Path:
    path = folder / "vi"
    path.write_text(EDITOR.format(folder=folder), encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('[environments.West]\n\narm = "http://west"\n', "", 3),
        ('[environments.West]\narm = "https://management.west.example"\n', "[broken\n", 3),
    ],
)
def test_the_config_is_edited_at_the_line_of_its_error(
    tmux: Tmux, tmp_path: Path, text: str, key: str, line: int
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text, encoding="utf-8")
    variables = f"OPS_SECRET=hunter2 VISUAL= EDITOR='{editor_in(tmp_path)} -n'"
    command = f"env {variables} {sys.executable} -m stacktui --config {config}"
    tmux.run("new-session", "-d", "-x", "80", "-y", "23", command)
    tmux.until("1 Environments")
    if key:
        config.write_text(text + key, encoding="utf-8")
        tmux.run("send-keys", "r")
        tmux.until(f"the config is broken (line {line}): kept what was read before")
    tmux.run("send-keys", "C-e")
    shown = tmux.until("THE EDITOR HAS THE TERMINAL")
    assert "Environments" not in shown
    tmux.run("send-keys", "q", "Enter")
    shown = tmux.until("the config was read again")
    assert "Press c to check West." in shown
    assert "EDITOR" not in shown
    assert (tmp_path / "answer").read_text() == "q\n"
    assert (tmp_path / "arguments").read_text() == f"-n +{line} {config}\n"
    assert "hunter2" not in (tmp_path / "environment").read_text()
    tmux.run("send-keys", "q")


def test_a_config_that_is_broken_from_the_start_opens_with_the_way_out(
    tmux: Tmux, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("active = [", encoding="utf-8")
    command = f"env EDITOR={editor_in(tmp_path)} {sys.executable} -m stacktui --config {config}"
    tmux.run("new-session", "-d", "-x", "80", "-y", "23", command)
    tmux.until("The config cannot be used.")
    tmux.run("send-keys", "C-e")
    tmux.until("THE EDITOR HAS THE TERMINAL")
    tmux.run("send-keys", "Enter")
    tmux.until("Press c to check West.")
    tmux.run("send-keys", "q")


def test_without_an_editor_that_is_said(tmux: Tmux, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    command = f"env EDITOR=no-such-editor {sys.executable} -m stacktui --config {config}"
    tmux.run("new-session", "-d", "-x", "80", "-y", "23", command)
    tmux.until("No environments yet.")
    tmux.run("send-keys", "C-e")
    tmux.until("$EDITOR: there is no program 'no-such-editor'")
    tmux.run("send-keys", "q")


def test_read_only_from_the_command_line(tmux: Tmux, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    text = '[environments.West]\narm = "https://management.west.example"\n'
    config.write_text(text, encoding="utf-8")
    command = f"env EDITOR=true {sys.executable} -m stacktui --read-only --config {config}"
    tmux.run("new-session", "-d", "-x", "80", "-y", "23", command)
    shown = tmux.until("read-only")
    assert "make active" not in shown
    tmux.run("send-keys", "Space", "C-e", "a", "t", "?")
    tmux.until("Everywhere")
    tmux.run("send-keys", "Escape", "q")
    assert config.read_text(encoding="utf-8") == text
