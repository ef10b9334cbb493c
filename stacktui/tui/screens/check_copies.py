"""Copying what a check has found: a remedy's command, or the whole report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.text.counts import count_of
from stacktui.tui.formatting import command_of, with_commands

if TYPE_CHECKING:
    from typing import Any

    from textual.app import App

    from stacktui.diagnosis.finding import Diagnosis
    from stacktui.tui.clipboard import Copier, Notice
    from stacktui.tui.live_check import LiveCheck


def copy_command(
    app: App[Any], diagnosis: Diagnosis | None, copier: Copier, notice: Notice
) -> None:
    """Copy the remedy's command; of several, the one that is chosen by its number."""

    def copy(command: str | None) -> None:
        if command:
            copier.copy(command, command.splitlines()[0], notice)

    remedies = with_commands(diagnosis)
    if len(remedies) > 1:
        from stacktui.tui.screens.copy import CopyScreen

        app.push_screen(CopyScreen(remedies), copy)
    else:
        copy(next(map(command_of, remedies), None))


def copy_report(check: LiveCheck | None, copier: Copier, notice: Notice) -> None:
    """Copy the whole check as Markdown, for a ticket."""
    if check is None or check.report is None or check.diagnosis is None:
        return
    from stacktui.diagnosis.markdown import report_markdown

    text = report_markdown(check.report, check.diagnosis)
    found = check.verdict.id if check.verdict else "healthy"
    name = check.target.environment.name
    lines = count_of(text.count("\n"), "line")
    copier.copy(text, f"{name}, {found}, {lines}", notice)
