"""The commands that host a document of aliases. `tests/compat/test_az_images.py` runs them."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.environments.config import CHANGEABLE
from stacktui.environments.model import Environment
from stacktui.exchange.alias_hosting import account_name, render
from stacktui.exchange.connection import Machine
from stacktui.exchange.shells import Shell

from .connections import ASDK, EAST, SUBSCRIPTION, connection
from .test_az_commands import commands, machine_with

URL = "https://imagealiases.blob.east.contoso.com/aliases/aliases.json"
FILE = "/home/me/a b/aliases.json"


def rendered(shell: Shell = Shell.BASH, environment: Environment = EAST, file: str = FILE) -> str:
    return render(connection(environment, machine=machine_with("2.66.2", shell=shell)), file)


# In place of az and stacktui: each notes its words, and fails where its number has come.
STANDINS = """
run() {
  printf '%s\\0' "$@" END >> "$NOTES"
  echo run >> "$NOTES.count"
  case "${4-}" in url) echo "$URL";; esac
  [ "$(wc -l < "$NOTES.count")" -ne "$FAILS" ]
}
az() { run az "$@"; }
stacktui() { run stacktui "$@"; }
"""


def ran(script: str, fails: int = 0) -> tuple[int, list[list[str]]]:
    """Return the exit code of a bash that runs the script, and the words of each command."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes"
        variables = {"PATH": os.environ["PATH"], "NOTES": str(notes), "URL": URL}
        done = subprocess.run(
            ["bash", "-uc", STANDINS + script],
            env=variables | {"FAILS": str(fails)},
            capture_output=True,
            check=False,
        )
        assert done.stderr == b""
        return done.returncode, [
            each.split("\0") for each in notes.read_text().split("\0END\0") if each
        ]


def test_an_account_a_public_container_the_upload_and_the_setting() -> None:
    _, words = ran(rendered())
    assert [each[:4] for each in words] == [
        ["az", "cloud", "set", "-n"],
        ["az", "account", "set", "--subscription"],
        ["az", "group", "create", "--name"],
        ["az", "storage", "account", "create"],
        ["az", "storage", "container", "create"],
        ["az", "storage", "blob", "upload"],
        ["az", "storage", "blob", "url"],
        ["stacktui", "environments", "set", "East"],
        ["stacktui", "environments", "export", "East"],
    ]
    assert words[0][-1] == "East"
    assert words[1][-1] == SUBSCRIPTION
    assert words[3][-4:] == ["--location", "east", "--sku", "Standard_LRS"]
    assert words[4][-2:] == ["--public-access", "blob"]
    assert FILE in words[5]
    # The URL is the one that az prints.
    assert words[7][-1] == f"vm_image_aliases={URL}"
    assert "vm_image_aliases" in CHANGEABLE


@pytest.mark.parametrize("number", range(1, 10))
def test_the_first_command_that_fails_is_the_last_one(number: int) -> None:
    code, words = ran(rendered(), fails=number)
    assert (code, len(words)) == (1, number)


def test_a_shell_that_it_is_pasted_into_stays_open() -> None:
    code, words = ran(rendered() + "\naz still here\n", fails=2)
    assert (code, words[2:]) == (0, [["az", "still", "here"]])


def test_the_account_is_of_one_stamp_and_one_subscription() -> None:
    given = connection(EAST)
    names = {
        account_name(given, SUBSCRIPTION),
        account_name(given, "other"),
        account_name(connection(ASDK), SUBSCRIPTION),
    }
    assert len(names) == 3
    assert all(re.fullmatch("[a-z0-9]{3,24}", each) for each in names)
    assert account_name(given, SUBSCRIPTION.upper()) == account_name(given, SUBSCRIPTION)
    _, words = ran(rendered())
    of_account = [each[each.index("--account-name") + 1] for each in words[4:7]]
    assert of_account == [account_name(given, SUBSCRIPTION)] * 3
    assert words[3][5] == of_account[0]


def test_arm_says_subscription_and_location_before_anything_else() -> None:
    given = connection(EAST, machine=machine_with("2.66.2"))
    _, words = ran(render(given, FILE, "north", "11111111-0000-0000-0000-000000000000"))
    assert words[1][-1] == "11111111-0000-0000-0000-000000000000"
    assert words[2][-1] == "north"
    _, words = ran(render(given, FILE, "\x1b[2J$(touch x)"))
    assert words[2][-1] == "east"


def test_without_a_subscription_none_is_selected() -> None:
    _, words = ran(rendered(environment=replace(EAST, subscription=None)))
    assert not any("--subscription" in each for each in words)


@pytest.mark.parametrize("shell", Shell)
def test_a_location_that_nothing_tells_is_one_variable_to_fill_in(shell: Shell) -> None:
    given = connection(Environment("X", "https://stamp.example"), machine=machine_with(shell=shell))
    assert "LOCATION=east" in render(given, FILE).replace("'", "").replace(" ", "")
    without = replace(given, cloud=replace(given.cloud, values={}))
    lines = render(without, FILE).splitlines()
    place = next(i for i, each in enumerate(lines) if "az account list-locations" in each)
    assert "LOCATION=LOCATION" in lines[place + 1].replace("'", "").replace(" ", "")
    assert "list-locations" not in rendered(shell)


def test_a_public_cloud_is_selected_by_its_own_name() -> None:
    azure = replace(EAST, arm="https://management.azure.com", profile="latest", endpoints={})
    assert "az cloud set -n AzureCloud" in rendered(environment=azure)


def test_the_config_is_named_where_it_is_not_the_usual_one() -> None:
    machine = Machine(Shell.BASH, config=Path("/c d/x.toml"))
    text = render(connection(EAST, machine=machine), FILE)
    ours = [each for each in commands(text) if each.startswith("stacktui ")]
    assert len(ours) == 2
    assert all(" --config '/c d/x.toml'" in each for each in ours)


@pytest.mark.parametrize(
    "file", [FILE, "/tmp/it's $(rm x) `y` \\ \x1b[2J.json", "/tmp/-x;y&z.json"]
)
def test_bash_reads_the_file_as_one_word(file: str) -> None:
    _, words = ran(rendered(file=file))
    upload = words[5]
    assert upload[upload.index("--file") + 1] == file


def test_each_command_of_powershell_is_checked() -> None:
    _, _, block = rendered(Shell.POWERSHELL, file=r"C:\a b.json").partition("& {\n")
    first, *steps, last, end = block.splitlines()
    assert (first, end) == ("$global:LASTEXITCODE = 1", "}")
    assert all(each.endswith("; if ($LASTEXITCODE) { return }") for each in steps)
    assert [each.split()[0] for each in steps] == ["az"] * 6 + ["$env:ALIASES_URL", "stacktui"]
    assert '"vm_image_aliases=$env:ALIASES_URL"' in steps[-1]
    assert last == "stacktui environments export East --format az"


def test_each_command_of_cmd_follows_from_the_one_before() -> None:
    _, _, chain = rendered(Shell.CMD, file=r"C:\a b.json").partition('set "ALIASES_URL="\n')
    *steps, url, setting = chain.splitlines()
    assert [each.split()[:2] for each in steps] == [["call", "az"]] * 7
    assert all(each.endswith(" && ^") for each in steps)
    assert url.startswith('set /p "ALIASES_URL=" < ')
    assert setting == (
        "if defined ALIASES_URL call stacktui environments set East "
        '"vm_image_aliases=%ALIASES_URL%" && call stacktui environments export East --format az'
    )


@pytest.mark.parametrize("shell", Shell)
def test_a_comment_stands_before_the_commands(shell: Shell) -> None:
    """In an interactive zsh a comment is a command that fails."""
    mark = "rem" if shell is Shell.CMD else "#"
    lines = rendered(shell, file=r"C:\Users\me\a b.json").splitlines()
    first = next(i for i, each in enumerate(lines) if " cloud set " in each)
    assert not any(each.startswith(mark) for each in lines[first:])


@pytest.mark.parametrize("shell", [Shell.CMD, Shell.POWERSHELL])
def test_a_file_that_no_batch_file_can_be_given_is_left_out(shell: Shell) -> None:
    text = rendered(shell, file=r"C:\a%PATH%.json")
    assert "az storage blob is left out" in text
    assert "%PATH%" not in text
    # Without the upload nothing else is of use.
    assert all(each.startswith(("#", "rem ")) for each in text.splitlines())
