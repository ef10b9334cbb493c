"""The help of every group and command: `-h`, what it does, examples that parse, its width."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.main import cli
from tests.diagnosis.readme import END, README, section
from tests.product import stacktui
from tests.support.pasted import on_terminal


def every_command(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each group and command, with the words that name it."""
    yield path, command
    if isinstance(command, LazyGroup):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every_command(below, (*path, name))


EVERY = dict(every_command())
IDS = [" ".join(("stacktui", *path)) for path in EVERY]


@pytest.mark.parametrize("path", EVERY, ids=IDS)
def test_each_says_what_it_does_and_how_it_is_called(path: tuple[str, ...]) -> None:
    short = stacktui(*path, "-h")
    assert short == stacktui(*path, "--help")
    assert (short.code, short.err) == (0, "")
    name = " ".join(("stacktui", *path))
    assert short.out.startswith(f"Usage: {name} ")
    assert re.search(rf"\n  Examples?:\n    .*{name}", short.out)
    assert max(map(len, short.out.splitlines())) <= 80


def parse(line: str) -> None:
    """Parse the part of a command line that calls stacktui, as click does before it runs it."""
    found = re.search(r"stacktui[^|>)\n\"]*", line)
    assert found, line
    words = shlex.split(found[0], comments=True)[1:]
    context = click.Context(cli, info_name="stacktui")
    command: click.Command = cli
    while isinstance(command, LazyGroup) and words and not words[0].startswith("-"):
        below = command.get_command(context, words.pop(0))
        assert below is not None, line
        command = below
    command.make_context(line, words, parent=context)


@pytest.mark.parametrize("path", EVERY, ids=IDS)
def test_each_example_is_a_valid_command_line(path: tuple[str, ...]) -> None:
    _, *lines = (EVERY[path].epilog or "").splitlines()[1:]
    assert lines
    for line in lines:
        parse(line)


def test_each_command_line_of_the_readme_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # `--log-requests` opens its file
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line for line in "".join(blocks).splitlines() if re.search(r"\bstacktui [a-z]", line)]
    lines = [line for line in lines if "pip" not in line]
    assert len(lines) > 30
    _, begin, steps = text.partition("## For those who come from the documents\n")
    assert begin
    in_tables = re.findall(r"`(stacktui [^`]+)`", steps.partition("\n## ")[0])
    assert len(in_tables) > 20
    lines += in_tables
    for line in lines:
        parse(line)


def test_the_catalogue_of_the_readme_folds_away() -> None:
    before, _, after = section(README.read_text(encoding="utf-8"))
    assert "<details>" in before.splitlines()[-6:]
    assert after.removeprefix(END).lstrip().startswith("</details>")


@pytest.mark.parametrize("columns", [40, 60, 100, 200])
def test_the_help_fits_the_terminal(columns: int) -> None:
    command = [sys.executable, "-m", "stacktui", "history", "-h"]
    code, shown = on_terminal(command, [], os.environ | {"COLUMNS": str(columns)})
    longest = max(map(len, shown.splitlines()))
    assert code == 0
    assert min(columns, 100) - 10 < longest <= min(columns, 100)
