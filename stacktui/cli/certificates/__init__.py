"""`stacktui certificates`: chains, trust stores, trusting a root, readiness, PFX and PEM."""

from __future__ import annotations

import click

from stacktui.cli.lazy import LazyGroup

# Each command, in a module of its own name, and its help.
_COMMANDS = {
    "show": "Show the chain that each endpoint of an environment presents.",
    "stores": "List the trust stores on this machine.",
    "matrix": "Show which trust store trusts which endpoint.",
    "trust": "Trust a root.",
    "untrust": "Take back a root that stacktui added.",
    "export": "Write one bundle for az and others: needs no root rights.",
    "lint": "Judge certificate files by the vendor's readiness rules.",
    "convert": "Convert a service principal's certificate, PFX to PEM or back.",
}


@click.group(cls=LazyGroup, package=__name__, table=_COMMANDS)
def command() -> None:
    """See the chain, see who trusts it, trust it rightly."""
