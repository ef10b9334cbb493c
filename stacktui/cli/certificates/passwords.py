"""Passwords of certificate files: from a variable or a file, else prompted; never an argument."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stacktui.cli.ask import CommandError
from stacktui.identities.faults import IdentityError
from stacktui.identities.model import EnvSecret, FileSecret
from stacktui.identities.secrets import MAX_SIZE, resolve_secret
from stacktui.text.sanitize import escape_control_chars

# The name of a variable that a shell can set.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def password_options(prefix: str, what: str) -> Callable[[click.decorators.FC], Any]:
    """Add `--PREFIX-env NAME` and `--PREFIX-file PATH`; without them the password is prompted."""

    def add(function: click.decorators.FC) -> click.decorators.FC:
        function = click.option(
            f"--{prefix}-file",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help=f"Read {what} from a file (default: asks).",
        )(function)
        return click.option(
            f"--{prefix}-env",
            metavar="NAME",
            help=f"Read {what} from an environment variable.",
        )(function)

    return add


class Password:
    """One password: from a variable or a file, else prompted for once."""

    def __init__(self, option: str, name: str | None, path: Path | None) -> None:
        if name is not None and path is not None:
            raise click.UsageError(f"--{option}-env and --{option}-file: give one of them.")
        if name is not None and not _VARIABLE.fullmatch(name):
            # This may be the password itself, so do not repeat it.
            raise CommandError(f"--{option}-env takes the name of a variable; that is none")
        self._option = option
        self._reference = FileSecret(path) if path is not None else EnvSecret(name or "")
        self.is_given = name is not None or path is not None

    def given(self) -> str | None:
        """Return the password that the options name. Raises CommandError if it is missing."""
        if not self.is_given:
            return None
        try:
            return resolve_secret(self._reference)
        except IdentityError as error:
            raise CommandError(f"no password: {error}") from None

    def get(self, question: str, *, twice: bool = False) -> str:
        """Return the password that the options name, else the user's hidden answer.

        Raises CommandError.
        Without a terminal, the first line of stdin is the answer.
        """
        if (given := self.given()) is not None:
            return given
        if sys.stdin is not None and sys.stdin.isatty():
            answer: str = click.prompt(
                escape_control_chars(question),
                hide_input=True,
                err=True,
                default="",
                show_default=False,
                confirmation_prompt="Again" if twice else False,
            )
        else:
            answer = _first_line()
        if not answer:
            options = f"--{self._option}-env or --{self._option}-file gives it"
            raise CommandError(f"{question} is needed, and was not given; {options}")
        return answer


def _first_line() -> str:
    """Return the next line of a stdin that is not a terminal; empty at its end."""
    if sys.stdin is None:  # started with stdin closed
        return ""
    try:
        return sys.stdin.readline(MAX_SIZE).rstrip("\r\n")
    except UnicodeDecodeError:
        raise CommandError("the password on stdin is not text") from None
