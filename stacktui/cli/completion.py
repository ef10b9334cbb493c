"""`stacktui completion`: the script by which a shell completes commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from stacktui.cli.options import examples

# The variable with which the script runs `stacktui`; click reads the same.
_VARIABLE = "_STACKTUI_COMPLETE"
_SHELLS = {each.name: each for each in (BashComplete, ZshComplete, FishComplete)}


@click.command(
    epilog=examples(
        'eval "$(stacktui completion bash)"    # a line for ~/.bashrc',
        'eval "$(stacktui completion zsh)"     # for ~/.zshrc, after compinit',
        "stacktui completion fish > ~/.config/fish/completions/stacktui.fish",
    )
)
@click.argument("shell", type=click.Choice([*_SHELLS]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands, options and names.

    It knows the environments and identities of the config, and the ids of faults.
    """
    root = context.find_root().command
    click.echo(_SHELLS[shell](root, {}, "stacktui", _VARIABLE).source())
