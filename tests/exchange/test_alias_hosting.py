"""The commands that host a document of aliases. `tests/compat/test_az_images.py` runs them."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.environments.config import CHANGEABLE
from stacktui.environments.model import Environment
from stacktui.exchange.alias_hosting import alias_url, render
from stacktui.exchange.connection import Machine
from stacktui.exchange.shells import Shell

from .connections import EAST, connection
from .test_az_commands import commands, machine_with

URL = "https://imagealiases.blob.east.contoso.com/aliases/aliases.json"
FILE = "/home/me/a b/aliases.json"


def rendered(shell: Shell = Shell.BASH, environment: Environment = EAST, file: str = FILE) -> str:
    return render(connection(environment, machine=machine_with("2.66.2", shell=shell)), file)


def test_an_account_a_public_container_the_upload_and_the_setting() -> None:
    found = [shlex.split(each) for each in commands(rendered())]
    assert [each[:4] for each in found] == [
        ["az", "group", "create", "--name"],
        ["az", "storage", "account", "create"],
        ["az", "storage", "container", "create"],
        ["az", "storage", "blob", "upload"],
        ["az", "storage", "blob", "url"],
        ["stacktui", "environments", "set", "East"],
        ["stacktui", "environments", "export", "East"],
    ]
    assert found[1][-4:] == ["--location", "east", "--sku", "Standard_LRS"]
    assert found[2][-2:] == ["--public-access", "blob"]
    assert FILE in found[3]
    assert found[5][-1] == f"vm_image_aliases={URL}"
    assert "vm_image_aliases" in CHANGEABLE


def test_the_url_has_the_stamps_storage_suffix() -> None:
    assert alias_url(connection(EAST)) == URL
    unknown = Environment("X", "https://stamp.example")
    given = connection(unknown)
    without = replace(given, cloud=replace(given.cloud, values={}))
    assert ".blob.STORAGE-SUFFIX/" in alias_url(without)


def test_the_config_is_named_where_it_is_not_the_usual_one() -> None:
    machine = Machine(Shell.BASH, config=Path("/c d/x.toml"))
    text = render(connection(EAST, machine=machine), FILE)
    ours = [each for each in commands(text) if each.startswith("stacktui ")]
    assert all(each.endswith(" --config '/c d/x.toml'") for each in ours)


@pytest.mark.parametrize(
    "file", [FILE, "/tmp/it's $(rm x) `y` \\ \x1b[2J.json", "/tmp/-x;y&z.json"]
)
def test_bash_reads_the_file_as_one_word(file: str) -> None:
    """Run by a bash whose az prints its arguments."""
    script = 'az() { printf "%s\\0" "$@"; }; stacktui() { :; }\n' + rendered(file=file)
    ran = subprocess.run(["bash", "-euc", script], capture_output=True, check=True)
    words = ran.stdout.decode().split("\0")
    assert words[words.index("--file") + 1] == file
    assert ran.stderr == b""


@pytest.mark.parametrize("shell", Shell)
def test_a_line_is_a_comment_or_one_command(shell: Shell) -> None:
    mark, call = ("rem", "call ") if shell is Shell.CMD else ("#", "")
    for line in rendered(shell, file=r"C:\Users\me\a b.json").splitlines():
        starts = (f"{mark} ", f"{call}az ", f"{call}stacktui ")
        assert line.startswith(starts), line


@pytest.mark.parametrize("shell", [Shell.CMD, Shell.POWERSHELL])
def test_a_file_that_no_batch_file_can_be_given_is_left_out(shell: Shell) -> None:
    text = rendered(shell, file=r"C:\a%PATH%.json")
    assert "az storage blob is left out" in text
    assert "%PATH%" not in text
