"""The real program on a pseudo-terminal: hostile bytes, bursts of keys, signals, no terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from .canned import CONFIG, canned_app
from .terminal import PATIENCE, Terminal
from .test_terminal import dashboard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
HOSTILE = [
    b"\xe9\xe8 caf\xe9",  # Latin-1
    b"\xff\xfe\x00\x80\xc3",
    b"\x1b[200~caf\xe9\x1b[201~",  # a paste of it
    b"\x1b[99999999999;1u\x1b]8;;\x1b[<0;0;0M",
]


def test_no_bytes_end_it(config: Path) -> None:
    with dashboard(config, CONFIG) as terminal:
        terminal.until("Environments")
        for content in HOSTILE:
            terminal.press(content)
            terminal.rest(0.2)
            terminal.press("\x1b\x1b")
            terminal.rest(0.2)
            terminal.press("\x1b")  # a form that was typed into asks
            terminal.rest(0.2)
            terminal.press("y")
        terminal.press("?")  # a key has its meaning still
        terminal.until("Everywhere")
        terminal.press("\x11")  # ctrl+q
        assert terminal.wait()[0] == 0
    assert b"Traceback" not in terminal.written


BURSTS = [
    (":theme\r", "Themes"),
    ("a" + "https://management.west.example" + "\t", "https://management.west.example"),
    ("?\x1b[B\x1b[B", "Everywhere"),
]


def test_keys_in_one_packet_are_handled_in_order(config: Path) -> None:
    with dashboard(config, CONFIG) as terminal:
        terminal.until("Environments")
        width = 120
        for burst, shown in BURSTS:
            terminal.rest(0.2)
            since, deadline = len(terminal.written), monotonic() + PATIENCE
            terminal.press(burst)
            while shown.encode() not in terminal.written[since:]:
                assert monotonic() < deadline, shown
                terminal.rest(0.2)
                width ^= 1
                terminal.resize(width, 40)  # what stood there already is written too
                terminal.read(0.3)
            terminal.press("\x1b")
            terminal.rest(0.2)
            if burst.startswith("a"):
                terminal.press("y")  # drops what was typed
        terminal.press("\x11")
        assert terminal.wait()[0] == 0


def test_ctrl_z_suspends_and_fg_repaints(config: Path) -> None:
    with dashboard(config, CONFIG) as terminal:
        terminal.until("Environments")
        terminal.rest(0.3)
        terminal.press("\x1a")
        pid, status = os.waitpid(terminal.pid, os.WUNTRACED)
        assert (pid, os.WIFSTOPPED(status)) == (terminal.pid, True)
        assert terminal.modes() == terminal.before
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.until("Environments")
        terminal.rest(0.3)
        terminal.press("q")
        assert terminal.wait()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_with_the_terminal_restored(
    config: Path, number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "stacktui", "demo"]
    environ = dict(os.environ) | {"LANG": "C.UTF-8", "TMPDIR": str(tmp_path)}
    with Terminal(command, environ) as terminal:
        terminal.until("Nothing is wrong.")
        assert list(tmp_path.glob("stacktui-*"))
        os.kill(terminal.pid, number)
        assert terminal.wait()[0] == 128 + number
        assert terminal.modes() == terminal.before
        said = terminal.written[terminal.written.rindex(b"\x1b[?1049l") :]
    assert f"stacktui: ended by {number.name}".encode() in said
    assert b"Traceback" not in said
    assert not list(tmp_path.glob("stacktui-*"))


def test_a_lost_terminal_ends_it_with_nothing_left(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stacktui", "demo"]
    environ = dict(os.environ) | {"LANG": "C.UTF-8", "TMPDIR": str(tmp_path)}
    with Terminal(command, environ) as terminal:
        terminal.until("Nothing is wrong.")
        terminal.hang_up()
        assert terminal.wait()[0] == 128 + signal.SIGHUP
    assert not list(tmp_path.glob("stacktui-*"))


def test_a_terminal_that_can_show_nothing_is_shown_the_headless_command(config: Path) -> None:
    with dashboard(config, CONFIG, TERM="dumb") as terminal:
        assert terminal.wait()[0] == 2
    assert b"stacktui check" in terminal.written
    assert b"\x1b" not in terminal.written


@pytest.mark.parametrize("arguments", [[], ["demo"]])
def test_without_stdin_there_is_no_terminal(arguments: list[str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" "$@" <&-', sys.executable, "-m", "stacktui", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "internal error" not in done.stderr


async def test_paints_may_follow_one_another_faster_than_sixty_a_second(tmp_path: Path) -> None:
    app = canned_app(tmp_path / "config.toml")
    async with app.run_test(size=(80, 23)):
        assert app.screen._update_timer._interval < 1 / 200
