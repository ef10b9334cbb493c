"""Options that several commands share."""

from __future__ import annotations

import click

from stacktui.cli.ask import RefusedError
from stacktui.config.document import nearest
from stacktui.transport.limits import LIMIT_SETTINGS, read_limit


def limit_option(function: click.decorators.FC) -> click.decorators.FC:
    """`--limit NAME=VALUE`, which every command takes that talks to a stamp.

    The parameter `limits` is a mapping for `load_settings`.
    """
    return click.option(
        "--limit",
        "limits",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_limits,
        help=f"A limit for this run, in place of the config's: {', '.join(LIMIT_SETTINGS)}; "
        "seconds, or counts. Repeatable.",
    )(function)


def _limits(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, float]:
    return dict(map(_limit, given))


def _limit(text: str) -> tuple[str, float]:
    name, _, value = (part.strip() for part in text.partition("="))
    # As the other options of a command line are written: `first-byte` is meant too.
    name = name.replace("-", "_")
    if name not in LIMIT_SETTINGS:
        meant = nearest(name, LIMIT_SETTINGS)
        hint = f"did you mean {meant}?" if meant else f"known: {', '.join(LIMIT_SETTINGS)}"
        raise RefusedError(f"--limit {name or text} is not a known limit; {hint}")
    try:
        return name, read_limit(name, _number(value))
    except ValueError as error:
        raise RefusedError(f"--limit {name}={value}: {name} {error}") from None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
