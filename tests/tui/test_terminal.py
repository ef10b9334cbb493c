"""The real program in a pseudo-terminal: start, keys, bytes written, exit, terminal modes."""

from __future__ import annotations

import os
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic

import pytest

from stacktui.stamp import StampOptions, run_in_thread
from tests.product import config_text

from .canned import CONFIG
from .terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


@contextmanager
def dashboard(
    config: Path, text: str, size: tuple[int, int] = (120, 40), **variables: str
) -> Iterator[Terminal]:
    config.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "stacktui", "--config", str(config.absolute())]
    environ = dict(os.environ) | {"LANG": "C.UTF-8", "TMUX": ""} | variables
    with Terminal(command, environ, *size) as terminal:
        yield terminal


def test_it_starts_rests_and_leaves_the_terminal_as_it_was(config: Path) -> None:
    with dashboard(config, CONFIG) as terminal:
        terminal.until("Environments")
        terminal.rest(0.5)
        assert len(terminal.written) <= 32 * 1024
        # Nothing is written while nothing changes.
        assert terminal.read(2.0) == b""
        terminal.press("q")
        code, seconds = terminal.wait()
        assert code == 0
        assert seconds < 2.0
        assert terminal.modes() == terminal.before
    end = terminal.written[terminal.written.rindex(b"\x1b[?1049l") :]
    assert b"\x1b[?25h" in end
    assert b"\x1b[?1000h" not in terminal.written, "mouse reporting must stay off"


def test_a_key_writes_what_changed_and_no_more_and_ctrl_c_ends_it(config: Path) -> None:
    with dashboard(config, CONFIG) as terminal:
        terminal.until("Environments")
        terminal.rest(0.5)
        terminal.answer("j")
        assert terminal.answer("j") < 6000
        terminal.press("\x03")
        assert terminal.wait()[0] == 0


def test_a_check_runs_rests_and_can_be_left_under_way(config: Path) -> None:
    with run_in_thread(StampOptions()) as stamp:
        text = config_text(stamp.describe())
        with dashboard(config, text) as terminal:
            terminal.until("Environments")
            terminal.press("c")
            terminal.until("Nothing is wrong.")
            terminal.rest(0.3)
            assert terminal.read(0.7) == b""
            terminal.press("q")
            assert terminal.wait()[0] == 0
    with run_in_thread(StampOptions(latency=30.0)) as stamp:
        text = config_text(stamp.describe())
        with dashboard(config, text, (80, 23)) as terminal:
            terminal.until("Environments")
            terminal.press("c")
            terminal.until("waiting for first")
            assert terminal.read(0.5).count(b"waiting") <= 1
            # While it waits, the seconds alone change: once a second, in the list and the check.
            changed = terminal.read(3.2)
            assert re.search(rb"\b[23]\b", changed)
            assert len(changed) < 4 * 150
            terminal.press("\x1b")
            terminal.until("cancelled")
            terminal.press("c")
            terminal.until("waiting for first")
            terminal.press("q")
            code, seconds = terminal.wait()
            assert code == 0
            assert seconds < 2.0


# SGR colours of 256 and more, and all colours but the terminal's own default (39, 49).
MANY_COLOURS = re.compile(rb"\x1b\[[\d;]*\b[34]8;[25];")
ANY_COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:[34][0-7]|[34]8|9[0-7]|10[0-7])[;m]")


@pytest.mark.parametrize(
    ("variables", "absent"),
    [
        ({"TERM": "xterm", "COLORTERM": "", "LC_ALL": "C", "LANG": "C"}, MANY_COLOURS),
        ({"TERM": "linux", "COLORTERM": ""}, MANY_COLOURS),
        ({"NO_COLOR": "1"}, ANY_COLOUR),
    ],
)
def test_it_keeps_to_the_colours_and_the_signs_that_the_terminal_has(
    config: Path, variables: dict[str, str], absent: re.Pattern[bytes]
) -> None:
    variables |= {"STACKTUI_ASCII": ""}
    with dashboard(config, CONFIG, (80, 23), **variables) as terminal:
        terminal.until("Environments")
        for keys in ("?", "\x1b", "t", "\x1b", "a", "https://x.y", "\x1b", "y", "j"):
            terminal.answer(keys)
        found = absent.search(terminal.written)
        assert not found, found
        if "LC_ALL" in variables:
            assert terminal.written.isascii(), "the locale is ASCII"
        if variables.get("TERM") == "linux":
            assert "✓" not in terminal.written.decode()
            assert "╭" not in terminal.written.decode()
            assert "┌" in terminal.written.decode()
        terminal.press("q")
        assert terminal.wait()[0] == 0


def test_y_reaches_the_clipboard_of_the_machine_in_front_of_the_user(config: Path) -> None:
    with ExitStack() as stack:
        stamp = stack.enter_context(run_in_thread(StampOptions(fault="arm-forbidden")))
        terminal = stack.enter_context(dashboard(config, config_text(stamp.describe())))
        terminal.until("Environments")
        terminal.press("c")
        terminal.until("grant ")
        terminal.press("y1")
        terminal.until("sent to the terminal (OSC 52)")
        assert b"\x1b]52;c;" in terminal.written
        terminal.press("Y")
        terminal.until("Test, arm-forbidden")
        sent = re.findall(rb"\x1b\]52;c;([^\x07]+)\x07", terminal.written)[-1]
        assert b64decode(sent).startswith(b"# stacktui: Test: arm-forbidden")
        terminal.press("q")
        assert terminal.wait()[0] == 0


def environments_of(text: str, count: int) -> str:
    """Return the config with `count` more environments like its own."""
    first, second = text.index("[environments."), text.index("[identities.")
    table = text[first:second]
    more = (table.replace("[environments.Test", f"[environments.More{n}") for n in range(count))
    return text + "".join(more)


def test_a_round_is_painted_ten_times_a_second_at_most_and_rests_afterwards(config: Path) -> None:
    with run_in_thread(StampOptions(latency=0.1)) as stamp:
        text = environments_of(config_text(stamp.describe()), 39)
        with dashboard(config, text, (80, 23)) as terminal:
            terminal.until("Environments")
            terminal.rest(0.5)
            before = len(terminal.written)
            terminal.press("C")
            begun = monotonic()
            terminal.until("Nothing is wrong.")
            terminal.rest(1.5)
            # Each paint ends with a move of the cursor to the corner.
            paints = terminal.written[before:].count(b"\x1b[1;1H")
            assert 3 <= paints <= 10 * (monotonic() - begun) + 3
            assert terminal.read(2.2) == b""
            terminal.press("q")
            assert terminal.wait()[0] == 0


@pytest.mark.parametrize(
    ("size", "term", "colours", "most"),
    [((80, 24), "screen-256color", "", 8), ((120, 40), "xterm-256color", "truecolor", 14)],
)
def test_a_check_writes_little_and_a_screen_that_opens_is_written_whole(
    config: Path, size: tuple[int, int], term: str, colours: str, most: int
) -> None:
    with run_in_thread(StampOptions(latency=0.02)) as stamp:
        text = config_text(stamp.describe())
        with dashboard(config, text, size, TERM=term, COLORTERM=colours) as terminal:
            terminal.until("Environments")
            terminal.rest(1.0)
            before = len(terminal.written)
            terminal.press("c")
            terminal.until("Nothing is wrong.")
            terminal.rest(0.5)
            assert len(terminal.written) - before <= most * 1024
            before = len(terminal.written)
            terminal.answer("?")
            terminal.answer("\x1b")
            # What another program wrote over the screen is gone.
            assert b"Nothing is wrong." in terminal.written[before:]
            assert b"Environments" in terminal.written[before:]
            terminal.press("q")
            assert terminal.wait()[0] == 0
