"""Command groups that import only the command that runs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click
from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group that imports a command only to run it or to show its help.

    `table` has the one-line help of each command. A command is the `command` of the module of its
    name in `package`, with an underscore behind a keyword of Python.
    """

    def __init__(
        self, name: str | None = None, *, package: str, table: Mapping[str, str], **rest: Any
    ) -> None:
        super().__init__(name, **rest)
        self._package = package
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        # No module can have a keyword for its name.
        module = import_module(f"{self._package}.{cmd_name}{'_' * iskeyword(cmd_name)}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        names = [each for each in self._table if each.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(each, help=self._table[each]) for each in names] + options

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))
