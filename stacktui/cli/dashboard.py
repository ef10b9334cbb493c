"""Opening the dashboard, with what only the command line may give it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from stacktui.check.settings import load_settings
from stacktui.config.locations import config_file


def open_dashboard(
    config: Path | None, environment: str | None, limits: Mapping[str, float]
) -> int:
    """Run the dashboard until it is closed. A broken config is told before the screen changes."""
    path = config_file(config)
    settings = load_settings(path, limits)
    for warning in settings.warnings:
        click.echo(f"stacktui: {warning}", err=True)
    if environment is not None:
        settings.target(environment)
    require_terminal()
    from stacktui.cli.demo import Demo
    from stacktui.tui.app import StacktuiApp

    with Demo() as demo:
        app = StacktuiApp(path, environment=environment, start_demo=demo.start, limits=limits)
        app.run()
    return app.return_code or 0


def require_terminal() -> None:
    """Refuse to draw into a pipe, and name what works there."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "the dashboard needs a terminal; without one: stacktui check, or stacktui demo --check"
        )
