"""Colour and width of text output: on a terminal that wants them, and nowhere else."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.product import stacktui
from tests.support.pasted import on_terminal

RED, GREEN, YELLOW, CYAN, END = (f"\x1b[{code}m" for code in (31, 32, 33, 36, 0))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        '[environments.West]\narm = "https://management.west.invalid"\nproxy = "none"\n'
        '[environments.East]\narm = "https://127.0.0.1:1"\nproxy = "none"\n'
    )
    return path


def shown(*arguments: str | Path, **variables: str) -> str:
    """What a command writes to a terminal."""
    command = [sys.executable, "-m", "stacktui", *map(str, arguments)]
    given = {"TERM": "xterm-256color", "COLUMNS": "80"} | variables
    return on_terminal(command, [], os.environ | given)[1]


def test_states_ids_and_sides_are_coloured_on_a_terminal(config: Path) -> None:
    screen = shown("check", "East", "--config", config)
    assert f"{RED}✗{END} metadata" in screen
    assert f"{RED}FAULT{END} in the metadata step" in screen
    assert f"{RED}✗ tcp-refused{END} · side: {CYAN}the stamp{END}" in screen
    several = shown("check", "--all", "--config", config)
    assert re.search(rf"{re.escape(RED)}✗{re.escape(END)} East .* · side: \x1b\[36m", several)
    assert f"{RED}✗ tcp-refused{END}" in shown("history", "East", "--config", config)
    assert f"{RED}✗ tcp-refused{END}, " in shown("environments", "list", "--config", config)
    demo = shown("demo", "--check")
    assert f"{GREEN}✓{END} metadata" in demo
    assert f"{GREEN}OK{END} in " in demo


@pytest.mark.parametrize(
    "variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=lambda value: " ".join(value)
)
def test_no_colour_where_none_is_wanted(config: Path, variables: dict[str, str]) -> None:
    for command in ("check", "history"):
        screen = shown(command, "East", "--config", config, COLUMNS="120", **variables)
        assert "✗ tcp-refused · side: the stamp" in screen
        assert "\x1b" not in screen


@pytest.mark.parametrize("format_", ["json", "jsonl", "markdown"])
def test_what_programs_read_has_no_colour_on_a_terminal_either(config: Path, format_: str) -> None:
    screen = shown("check", "East", "--config", config, "--format", format_)
    assert "tcp-refused" in screen
    assert "\x1b" not in screen


def test_a_pipe_gets_no_colour_and_whole_lines(config: Path) -> None:
    ran = stacktui("check", "East", "--config", config, COLUMNS="40")
    assert "\x1b" not in ran.out
    assert max(map(len, ran.out.splitlines())) > 80


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_check_fits_the_terminal_and_its_commands_stay_whole(config: Path, columns: int) -> None:
    screen = shown("check", "East", "--config", config, COLUMNS=str(columns), NO_COLOR="1")
    whole = stacktui("check", "East", "--config", config).out
    commands = [line for line in whole.splitlines() if line.startswith(" " * 7)]
    assert commands
    assert all(command in screen.splitlines() for command in commands)
    others = [line for line in screen.splitlines() if line not in commands]
    assert max(map(len, others)) <= min(columns, 100)
    plain = re.sub(r"[0-9]+", "0", " ".join(screen.split()))
    assert " ".join(re.sub(r"[0-9]+", "0", whole).split()).partition("FAULT")[0] in plain
