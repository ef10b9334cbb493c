"""Questions on the command line: asked on stderr, answered by the user or by `--yes`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TypeVar

import click

from stacktui.errors import StacktuiError
from stacktui.text.sanitize import escape_control_chars

T = TypeVar("T")

yes_option = click.option("--yes", "yes", is_flag=True, help="Answer every question with yes.")


class CommandError(StacktuiError, click.ClickException):
    """A command cannot or may not do what was asked; `str()` says why."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"stacktui: {self}", err=True)


class RemoteError(CommandError):
    """A command failed because of the stamp or the network."""

    exit_code = 1


def confirm(question: str, *, yes: bool, otherwise: str = "nothing was changed") -> None:
    """Return if the user says yes. Raises CommandError otherwise, click.Abort on Ctrl+C."""
    if not yes and not ask(question):
        raise CommandError(otherwise)


def ask(question: str) -> bool:
    """Return whether the user says yes. Raises CommandError where nobody answers."""
    return _answer(lambda: click.confirm(escape_control_chars(question), err=True))


def ask_text(question: str, *, default: str) -> str:
    """Return what the user types, without blanks around it. Raises as `ask` does."""
    shown = escape_control_chars(question)
    return str(_answer(lambda: click.prompt(shown, err=True, default=default))).strip()


def confirm_by_typing(question: str, expected: str, *, yes: bool) -> None:
    """Return if the user types `expected` (in any case). Raises as `confirm` does."""
    if yes:
        return
    typed = _answer(lambda: click.prompt(question, err=True, default="", show_default=False))
    if str(typed).strip().replace(":", "").upper() != expected.replace(":", "").upper():
        raise CommandError("that is not what was asked for; nothing was changed")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl+C end a question: in an event loop it cancels a task, which waits for the answer."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _answer(ask: Callable[[], T]) -> T:
    """Return the user's answer. Raises CommandError without one, click.Abort on Ctrl+C."""
    try:
        if sys.stdin is not None and sys.stderr is not None:  # else started with one closed
            with _interruptible():
                return ask()
    except click.Abort as abort:
        click.echo(err=True)
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise
    raise CommandError("nobody answered; --yes answers yes to every question")
