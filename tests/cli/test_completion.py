"""`stacktui completion`: the shells complete for real, with the script that it prints."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from stacktui.cli.main import run
from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.identities.model import IdentityKind
from tests.product import stacktui
from tests.support.pasted import Shell, on_terminal

CONFIG = """
active = "West"
[environments.West]
arm = "https://management.west.example"
identity = "ops"
[environments.East]
arm = "no URL at all"
[environments."North $(touch run)"]
arm = "https://management.north.example"
[environments."two\\nlines"]
arm = "https://management.north.example"
[identities.ops]
kind = "device-code"
[identities.other]
kind = "nonsense"
"""
NORTH = r"North\ \$\(touch\ run\)"
# Drives bash's completion as bash does: the words and the one under the cursor, which is the last.
BASH = """
source {script}
COMP_WORDS=({words})
COMP_CWORD={last}
compopt() {{ COMPREPLY=(files); }}  # works only while a key is pressed
_stacktui_completion stacktui
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "config.toml").write_text(CONFIG)
    return Shell(tmp_path)


def in_bash(shell: Shell, words: Sequence[str], **variables: str) -> list[str]:
    """What bash would offer after `stacktui`; nothing is written to stderr."""
    script = shell.folder / "completion.bash"
    script.write_text(stacktui("completion", "bash").out)
    typed = " ".join(map(shlex.quote, ("stacktui", *words)))
    program = BASH.format(script=shlex.quote(str(script)), words=typed, last=len(words))
    config = {"STACKTUI_CONFIG": str(shell.folder / "config.toml")}
    done = shell.run(program, variables=config | variables)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert not (shell.folder / "run").exists()
    return [line for line in done.stdout.split("\n") if line]


# What is typed after `stacktui`, and what is offered for the last word.
COMPLETIONS: list[tuple[list[str], list[str]]] = [
    (["ch"], ["check"]),
    (["certificates", "t"], ["trust"]),
    (["environments", "f"], ["forget"]),
    (["check", "--for"], ["--format"]),
    (["check", "--format", "js"], ["json", "jsonl"]),
    (["check", ""], ["West", "East", NORTH]),
    (["check", "West", ""], ["East", NORTH]),
    (["history", "W"], ["West"]),
    (["--environment", "E"], ["East"]),
    (["--environment", "=", "E"], ["East"]),
    (["environments", "show", "E"], ["East"]),
    (["environments", "forget", "E"], ["East"]),
    (["environments", "set", "West", "id"], ["identity=ops", "identity=other"]),
    (["environments", "set", "West", "identity", "="], ["ops", "other"]),
    (["environments", "set", "West", "identity", "=", "op"], ["ops"]),
    (["environments", "set", "West", "profile", "=", "2020"], ["2020-09-01-hybrid"]),
    (["identities", "test", "o"], ["ops", "other"]),
    (["identities", "token", "--identity", "o"], ["ops", "other"]),
    (["identities", "set", "ops", "ki"], [f"kind={kind}" for kind in IdentityKind]),
    (["identities", "set", "ops", "kind", "=", "u"], ["user"]),
    (["identities", "set", "ops", "pass"], ["password="]),
    (["identities", "add", "new", "--kind", "user", "u"], ["username="]),
    (["identities", "add", "new", "--kind", "device-code", "u"], []),
    (["groups", ""], ["list", "show", "create", "tag", "delete"]),
    (["groups", "list", "--environment", "W"], ["West"]),
    (["subscriptions", "use", "-e", "E"], ["East"]),
    (["providers", "list", "--format", "js"], ["json", "jsonl"]),
    (["certificates", "show", "W"], ["West"]),
    (["certificates", "trust", "--presented", "W"], ["West"]),
    (["certificates", "export", "--environment", "W"], ["West"]),
    (["certificates", "trust", "root"], ["files"]),
    (["explain", "tls-unt"], ["tls-untrusted-root"]),
    (["explain", ""], [*EVERY_FAULT]),
    (["demo", "--fault", "tls-exp"], ["tls-expired"]),
    (["stamp", "--fault", "tls-exp"], ["tls-expired"]),
    (["completion", "f"], ["fish"]),
    (["nonsense", "W"], []),
]


def given(
    shell: Shell, capsys: pytest.CaptureFixture[str], name: str, words: str, last: object
) -> str:
    """What the script of a shell is given, which asks by these variables."""
    variables = {
        "_STACKTUI_COMPLETE": f"{name}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(last),
        "STACKTUI_CONFIG": str(shell.folder / "config.toml"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in variables.items():
            patch.setenv(variable, value)
        with pytest.raises(SystemExit, match=r"^0$"):
            run([])
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_what_the_script_of_bash_is_given(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    for words, offered in COMPLETIONS:
        out = given(shell, capsys, "bash", "\n".join(("stacktui", *words)), len(words))
        replies = [line.partition(",") for line in out.splitlines()]
        # bash's `read` takes a backslash away.
        values = [re.sub(r"\\(.)", r"\1", value) for kind, _, value in replies if kind]
        assert values == (offered if offered != ["files"] else ["root"]), replies


# Whose words, or what is offered, bash could take apart.
IN_BASH = [
    (words, offered)
    for words, offered in COMPLETIONS
    if "=" in words or words[-1] == "" or offered in ([], ["files"])
]


@pytest.mark.parametrize(("words", "offered"), IN_BASH, ids=lambda value: " ".join(value)[:40])
def test_bash_completes(shell: Shell, words: list[str], offered: list[str]) -> None:
    assert in_bash(shell, words) == offered


def test_the_config_that_is_named_is_the_one_that_is_read(shell: Shell) -> None:
    other = shell.folder / "other.toml"
    other.write_text('[environments.Wide]\narm = "https://management.wide.example"\n')
    for named in (["--config", str(other), "check"], ["check", "--config", "=", str(other)]):
        assert in_bash(shell, [*named, "W"]) == ["Wide"]


@pytest.mark.parametrize(
    "content", [b"[environments", b"\xff", b"environments = 3", b"environments = [1]", None]
)
def test_a_broken_config_completes_nothing_and_says_nothing(
    shell: Shell, content: bytes | None
) -> None:
    config = shell.folder / "config.toml"
    config.unlink()
    if content is None:
        config.mkdir()
    else:
        config.write_bytes(content)
    assert in_bash(shell, ["check", ""]) == []
    assert in_bash(shell, ["che"]) == ["check"]


def test_a_key_press_completes_in_an_interactive_bash(shell: Shell) -> None:
    environment = shell.environment(
        {"STACKTUI_CONFIG": str(shell.folder / "config.toml"), "PS1": "ready> "}
    )
    start = ["bash", "--norc", "--noprofile", "-i"]
    code, screen = on_terminal(
        start,
        [
            ("ready> ", f'cd {shlex.quote(str(shell.folder))}; eval "$(stacktui completion bash)"'),
            ("ready> ", "stacktui explain tls-unt\t>out; exit"),
        ],
        environment,
    )
    assert code == 0, screen
    assert "tls-untrusted-root" in (shell.folder / "out").read_text()


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_the_script_of_another_shell_is_valid(shell: Shell, name: str) -> None:
    script = shell.folder / f"completion.{name}"
    script.write_text(stacktui("completion", name).out)
    assert f"_STACKTUI_COMPLETE={name}_complete" in script.read_text()
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    read = subprocess.run([name, "-n", script], capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "words", "last", "offered"),
    [
        ("zsh", "stacktui environments set West identity=", "4", "plain\nidentity=ops\n_"),
        ("zsh", "stacktui check ", "2", "plain\nNorth $(touch run)\n_"),
        ("fish", "stacktui environments set West identity=", "identity=", "plain,identity=ops"),
        ("fish", "stacktui explain tls-untr", "tls-untr", "plain,tls-untrusted-root\tThe chain is"),
    ],
)
def test_what_the_scripts_of_zsh_and_fish_are_given(
    shell: Shell,
    capsys: pytest.CaptureFixture[str],
    name: str,
    words: str,
    last: str,
    offered: str,
) -> None:
    assert offered in given(shell, capsys, name, words, last)


def test_another_shell_is_wrong_usage() -> None:
    ran = stacktui("completion", "powershell")
    assert (ran.code, ran.out) == (2, "")
    assert all(shell in ran.err for shell in ("bash", "zsh", "fish"))
