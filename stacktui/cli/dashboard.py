"""Open the dashboard from a command."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stacktui.check.settings import load_settings
from stacktui.cli.options import ExitCode
from stacktui.cli.output import warn
from stacktui.config.document import ConfigError
from stacktui.config.locations import config_file

if TYPE_CHECKING:
    from stacktui.tui.app import StacktuiApp


_HEADLESS = "stacktui check, or stacktui demo --check"


def open_dashboard(
    config: Path | None, environment: str | None, limits: Mapping[str, float]
) -> int:
    """Run the dashboard until it is closed. A broken config is shown there, with the way out."""
    path = config_file(config)
    try:
        settings = load_settings(path, limits)
    except ConfigError:
        if why_no_dashboard():
            raise
    else:
        for warning in (*settings.warnings, *settings.left_out(environment)):
            warn(warning)
        if environment is not None:
            settings.target(environment)
    require_terminal()
    from stacktui.cli.demo_stamp import Demo

    with Demo() as demo:
        app = import_app()(path, environment=environment, start_demo=demo.start, limits=limits)
        return run_app(app)


def import_app() -> type[StacktuiApp]:
    """Import and return the application's class.

    What the imports allocate stays until the end, so it is excluded from garbage collection, which
    would cost 5 % of the time until the first frame. The app enables it after that.
    """
    gc.disable()
    from stacktui.tui.app import StacktuiApp

    gc.freeze()
    return StacktuiApp


def run_app(app: StacktuiApp) -> int:
    """Run the application until it is closed, and return the exit code."""
    app.run()
    for target in app.check_runner.probes_under_way:
        from stacktui.cli.write_probe import warn_of_probe

        with suppress(OSError):
            warn_of_probe(target)
    if app.ended_by is not None:
        with suppress(OSError):  # the terminal may be gone
            click.echo(f"stacktui: ended by {app.ended_by.name}", err=True)
        return 128 + app.ended_by
    # Textual returns 1 on an error, but here 1 means that a fault was found.
    return ExitCode.OURS if app.return_code else ExitCode.HEALTHY


def require_terminal() -> None:
    """Raise an error without a terminal that can show the dashboard; name what works instead."""
    if why := why_no_dashboard():
        raise click.UsageError(why)


def why_no_dashboard() -> str:
    """Return why there is no terminal for the dashboard, and what works instead; else empty."""
    ends = (sys.stdin, sys.stdout)  # None where it is closed
    if not all(each is not None and each.isatty() for each in ends):
        return f"the dashboard needs a terminal; without one: {_HEADLESS}"
    if os.environ.get("TERM") == "dumb":
        return f"TERM=dumb cannot show the dashboard; there: {_HEADLESS}"
    return ""
