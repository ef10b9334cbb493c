"""Questions on the command line: asked on stderr, answered by the user or by `--yes`."""

from __future__ import annotations

import click

yes_option = click.option("--yes", "yes", is_flag=True, help="Answer every question with yes.")


class RefusedError(click.ClickException):
    """What was asked for is not done; one line says why."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"stacktui: {self.message}", err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if the user says so. Raises RefusedError otherwise."""
    if yes:
        return
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        raise RefusedError("nobody answered; --yes answers yes to every question") from None
    if not agreed:
        raise RefusedError("nothing was changed")


def confirm_by_typing(question: str, expected: str, *, yes: bool) -> None:
    """Go on only if the user types `expected` (in any case). Raises RefusedError otherwise."""
    if yes:
        return
    try:
        typed = click.prompt(question, err=True, default="", show_default=False)
    except click.Abort:
        click.echo(err=True)
        raise RefusedError("nobody answered; --yes answers yes to every question") from None
    if str(typed).strip().replace(":", "").upper() != expected.replace(":", "").upper():
        raise RefusedError("that is not what was asked for; nothing was changed")
