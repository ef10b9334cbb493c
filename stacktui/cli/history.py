"""`stacktui history`: what past checks found, and since when it is so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Any

import click

from stacktui.check.history import read_history
from stacktui.check.settings import load_settings
from stacktui.check.streak import Streak
from stacktui.check.summary import CheckSummary
from stacktui.cli.layout import out_fitting
from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import ConfigSource, examples, format_option, reads_config
from stacktui.cli.output import SPARKS, out, warn
from stacktui.diagnosis.finding import SIDES, Side
from stacktui.text.counts import count_of
from stacktui.text.times import moment_text, rough_duration, utc_text

SCHEMA = 1
# The most checks in the sparkline.
_SPARKS = 40
# The width of the times of a change, `2026-05-03 18:00 - 2026-05-04 02:00 UTC`.
_TIMES = 39
_SYMBOLS = {True: "✓", False: "✗", None: "–"}


@click.command(epilog=examples("stacktui history West"))
@click.argument("name", metavar="[NAME]", required=False, shell_complete=environment_names)
@format_option
@reads_config
def command(source: ConfigSource, name: str | None, format_: str) -> None:
    """Show what past checks of environment NAME found (default: of all environments).

    Prints a line for each change of state, the newest first, and how long the checks took. Each
    check of the last 90 days counts, also those of the dashboard, but not those of another config
    or another ARM endpoint.
    """
    settings = load_settings(source.path)
    for warning in (*settings.warnings, *settings.left_out(name)):
        warn(warning)
    if name is not None or not settings.environments:
        targets = [settings.target(name)]  # raises why there is none
    else:
        targets = [settings.target(each) for each in settings.environments]
    found = [(each.environment.name, *read_history(each)) for each in targets]
    if format_ == "json":
        documents = [_document(*each) for each in found]
        click.echo(json.dumps({"schema": SCHEMA, "environments": documents}))
        return
    for number, each in enumerate(found):
        if number:
            out()
        _write(*each)


def _document(
    name: str, streaks: Sequence[Streak], checks: Sequence[CheckSummary]
) -> dict[str, Any]:
    return {
        "environment": name,
        "changes": [
            {
                "from": utc_text(each.began),
                "to": utc_text(each.last),
                "ok": each.ok,
                "verdict": each.verdict or None,
                "side": each.side or None,
                "checks": each.checks,
            }
            for each in streaks
        ],
        "seconds": _seconds(checks) if checks else None,
    }


def _seconds(checks: Sequence[CheckSummary]) -> dict[str, float]:
    """Return how long the checks took, of which there is at least one."""
    took = sorted(each.seconds for each in checks)
    figures = {
        "min": took[0],
        "median": median(took),
        "p95": took[ceil(0.95 * len(took)) - 1],
        "max": took[-1],
    }
    return {name: round(seconds, 6) for name, seconds in figures.items()}


def _write(name: str, streaks: Sequence[Streak], checks: Sequence[CheckSummary]) -> None:
    if not streaks:
        out(f"{name}: no check yet")
        return
    out(name)
    for each in streaks:
        out_fitting(f"  {_change(each)}", 4)
    if checks:
        figures = " · ".join(f"{key} {value:.2f} s" for key, value in _seconds(checks).items())
        newest = [each.seconds for each in checks[:_SPARKS]]
        out_fitting(f"  {count_of(len(checks), 'check')}: {figures}  {sparkline(newest[::-1])}")


def _change(streak: Streak) -> str:
    times = f"{streak.began:%Y-%m-%d %H:%M}"
    times += f" - {moment_text(streak.last, streak.began)}" if streak.checks > 1 else " UTC"
    lasted = rough_duration(streak.seconds) if streak.seconds >= 1 else ""
    whose = f" · side: {SIDES[Side(streak.side)]}" if streak.side in [*Side] else ""
    return (
        f"{times:<{_TIMES}}  {lasted:>6}  {count_of(streak.checks, 'check'):>10}  "
        f"{_SYMBOLS[streak.ok]} {streak.outcome}{whose}"
    )


def sparkline(values: Sequence[float]) -> str:
    """Return a bar for each value, of the least to the greatest."""
    low, high = min(values), max(values)
    steps = len(SPARKS) - 1
    return "".join(
        SPARKS[round((each - low) / (high - low) * steps) if high > low else 0] for each in values
    )
