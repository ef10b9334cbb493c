"""`stacktui certificates`: chains, trust stores, trusting a root, readiness, PFX and PEM."""

from __future__ import annotations

from importlib import import_module

import click

# Each command, in a module of its own name, and its help.
_COMMANDS = {
    "show": "Show the chain that each endpoint of an environment presents.",
    "stores": "List the trust stores on this box.",
    "matrix": "Show which trust store trusts which endpoint.",
    "trust": "Trust a root.",
    "untrust": "Take back a root that stacktui added.",
    "export": "Write one bundle for az and others: needs no root rights.",
    "lint": "Judge certificate files by the vendor's readiness rules.",
    "convert": "Convert a service principal's certificate, PFX to PEM or back.",
}


class _LazyGroup(click.Group):
    """Knows every command by name; imports one only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"{__name__}.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup)
def command() -> None:
    """See the chain, see who trusts it, trust it rightly."""
