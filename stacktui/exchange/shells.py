"""The lines of a text that a user will paste into a shell."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

from stacktui.identities.model import EnvSecret, FileSecret
from stacktui.text.shell import (
    bash,
    cmd,
    command_line,
    in_cmd_quotes,
    powershell,
    powershell_for_batch,
)

Quote = Callable[[str], str]
# A text, or where it is to be taken from when the line runs.
Value = str | EnvSecret | FileSecret
# What is written into a comment as it is: nothing that a shell would act on, were it no comment.
_PLAIN = re.compile(r"[\w\-.:/@ ]+")
# cmd would run what is in a %VARIABLE%; the content of %%i it does not read again. The options have
# it keep the whole line.
_COPY_IN_CMD = """\
rem for batch files; at the prompt %i is to stand for %%i
for /f delims^=^ eol^= %%i in ('powershell -NoProfile -Command "$env:{1}"') do set "{0}=%%i\""""


class Shell(StrEnum):
    """The shells that we write for."""

    BASH = "bash"
    POWERSHELL = "powershell"
    CMD = "cmd"


def shell_of_this_machine() -> Shell:
    return Shell.POWERSHELL if sys.platform == "win32" else Shell.BASH


def comment(shell: Shell, text: str) -> str:
    """Return the lines of `text` as comments. Apostrophes would be quotes to an interactive zsh."""
    mark = "rem" if shell is Shell.CMD else "#"
    return "\n".join(f"{mark} {line}".rstrip() for line in text.splitlines())


def plain(value: str, instead: str = "…") -> str:
    """Return a value from outside for a comment; `instead` where it is not plain."""
    return value if _PLAIN.fullmatch(value) else instead


def set_variables(shell: Shell, variables: Iterable[tuple[str, Value]]) -> Iterator[str]:
    """Yield a line for each variable that has a value; a comment for one that cmd cannot hold."""
    for name, value in variables:
        if value:
            try:
                yield _set(shell, name, value)
            except ValueError:
                yield comment(
                    shell, f"{name} is left out: cmd cannot hold its value, use PowerShell"
                )


def _set(shell: Shell, name: str, value: Value) -> str:
    match shell, value:
        case Shell.BASH, EnvSecret():
            return f'export {name}="${value.name}"'
        case Shell.BASH, FileSecret():
            return f'export {name}="$(cat -- {bash(str(value.path))})"'
        case Shell.BASH, str():
            return f"export {name}={bash(value)}"
        case Shell.POWERSHELL, EnvSecret():
            return f"$env:{name} = $env:{value.name}"
        case Shell.POWERSHELL, FileSecret():
            return f"$env:{name} = {read_in_powershell(value)}"
        case Shell.POWERSHELL, str():
            return f"$env:{name} = {powershell(value)}"
        case _, EnvSecret():
            return _COPY_IN_CMD.format(name, value.name)
        case _, FileSecret():
            return f'set /p "{name}=" < "{in_cmd_quotes(str(value.path))}"'
        case _, str():
            return f'set "{name}={in_cmd_quotes(value)}"'
    raise TypeError(value)


def read_in_powershell(reference: FileSecret) -> str:
    """Return the expression for the content of a file, without the line break at its end."""
    path = powershell(str(reference.path))
    return f'(Get-Content -Raw -Encoding UTF8 -LiteralPath {path}).TrimEnd("`r", "`n")'


def az_line(shell: Shell, command: Callable[[Quote], str], source: str = "") -> str:
    """Return an az command; a comment in its place where the shell cannot give az its values.

    `source` is the command whose output az reads. cmd's `call` is for batch files: az is one too,
    and without it the rest of the file would not run.
    """
    quote = {Shell.BASH: bash, Shell.POWERSHELL: powershell_for_batch, Shell.CMD: cmd}[shell]
    try:
        line = command(quote)
    except ValueError:
        words = " ".join(command(lambda _: "…").split()[:3])
        return comment(shell, f"{words} is left out: a value of it cannot go through {shell} to az")
    line = f"call {line}" if shell is Shell.CMD else line
    return f"{source} | {line}" if source else line


def own_line(shell: Shell, command: str, arguments: Sequence[str]) -> str:
    """Return a command of stacktui's, as `az_line` does for cmd."""
    if shell is not Shell.CMD:
        return command_line(command, arguments)[shell]
    return az_line(shell, lambda quote: " ".join((command, *map(quote, arguments))))
