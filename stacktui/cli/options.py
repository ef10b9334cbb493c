"""The options and exit codes that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import update_wrapper
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from stacktui.cli.ask import CommandError
from stacktui.cli.name_completion import environment_names, identity_names
from stacktui.config.document import nearest
from stacktui.config.locations import config_file, use_demo_root
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.limits import LIMIT_SETTINGS, read_limit


class ExitCode(IntEnum):
    """The exit codes of the process."""

    HEALTHY = 0
    FAULT = 1
    USAGE = 2
    OURS = 3


def examples(*lines: str) -> str:
    """Return these command lines as the epilog of a command's help."""
    head = "Example:" if len(lines) == 1 else "Examples:"
    # `\b` keeps click from joining the lines.
    return "\n".join(["\b", head, *(f"  {line}" for line in lines)])


def config_option(function: click.decorators.FC) -> click.decorators.FC:
    """Add `--config FILE`, which every command takes."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=_followed,
        help="The config file (default: $STACKTUI_CONFIG, else the platform's).",
    )(function)


def _followed(_: click.Context, _option: click.Parameter, config: Path | None) -> Path | None:
    use_demo_root(config)
    return config


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """The config file that the command or what precedes it names, and the limits of this run."""

    given: Path | None
    limits: Mapping[str, float]

    @property
    def path(self) -> Path:
        return config_file(self.given)


def reads_config(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--config FILE`; the command is called with a `ConfigSource` first."""

    def called(
        parent: Path | None,
        /,
        *,
        config: Path | None,
        limits: Mapping[str, float] = MappingProxyType({}),
        **given: Any,
    ) -> None:
        function(ConfigSource(config or parent, limits), **given)

    return config_option(update_wrapper(click.pass_obj(called), function))


def talks_to_stamp(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--config`, `--limit` and `--log-requests`, as `reads_config` does."""
    return limit_option(log_requests_option(reads_config(function)))


def warn_config_unused(config: Path | None) -> None:
    """Warn that a command ignores `--config`."""
    if config is not None:
        click.echo(
            f"stacktui: --config {escape_control_chars(str(config))} is not read here", err=True
        )


environment_argument = click.argument(
    "name", metavar="[ENV]", required=False, shell_complete=environment_names
)


def _format_option(*formats: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="The format of the result on stdout.",
    )


format_option = _format_option("text", "json")
# Commands with a report also write it as Markdown, for a ticket.
report_format_option = _format_option("text", "json", "markdown")
# A check, of which there may be several, also writes one document a line.
round_format_option = _format_option("text", "json", "jsonl", "markdown")


_list_format_option = _format_option("text", "json", "jsonl", "tsv")


def limit_option(function: click.decorators.FC) -> click.decorators.FC:
    """Add `--limit NAME=VALUE`, which every command takes that talks to a stamp.

    The parameter `limits` is a mapping for `load_settings`.
    """
    return click.option(
        "--limit",
        "limits",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_limits,
        help=f"Override a limit of the config for this run: {', '.join(LIMIT_SETTINGS)}; "
        "seconds, or counts. Repeatable.",
    )(function)


def log_requests_option(function: click.decorators.FC) -> click.decorators.FC:
    """Add `--log-requests FILE`, which every command takes that talks to a stamp."""
    return click.option(
        "--log-requests",
        metavar="FILE",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=_log_requests,
        help="Append each request to FILE, as the curl and the az rest line that repeats it; "
        "no secret and no answer.",
    )(function)


def _log_requests(context: click.Context, _option: click.Parameter, file: Path | None) -> None:
    if file is not None and not context.resilient_parsing:
        from stacktui.cli.request_log_file import logging_to

        context.with_resource(logging_to(file))


@dataclass(frozen=True, slots=True)
class ArmRequest:
    """What the options of a command that reads ARM say; without `environment`, the active one."""

    source: ConfigSource
    environment: str | None
    subscription: str | None
    format_: str | None


_environment_option = click.option(
    "-e",
    "--environment",
    metavar="NAME",
    shell_complete=environment_names,
    help="The environment to ask (default: the active one).",
)
identity_option = click.option(
    "--identity",
    metavar="NAME",
    shell_complete=identity_names,
    help="The identity of the config to sign in with (default: the environment's).",
)
_subscription_option = click.option(
    "--subscription",
    metavar="ID|NAME",
    help="The subscription (default: the environment's, else the first enabled one).",
)


def reads_arm(
    *, subscription: bool = True, listing: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of a command that reads ARM, which is called with an `ArmRequest`.

    Without `listing`, it has no `--format`, and without `subscription` not that option.
    """

    options = [_list_format_option] * listing + [_subscription_option] * subscription

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def called(source: ConfigSource, **given: Any) -> None:
            names = ("environment", "subscription", "format_")
            of_arm = {name: given.pop(name, None) for name in names}
            function(ArmRequest(source, **of_arm), **given)

        result = talks_to_stamp(update_wrapper(called, function))
        for option in (*options, _environment_option):
            result = option(result)
        return result

    return decorate


def _limits(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, float]:
    return dict(map(_limit, given))


def _limit(text: str) -> tuple[str, float]:
    name, _, value = (part.strip() for part in text.partition("="))
    # Also take `first-byte`, as options are usually written.
    name = name.replace("-", "_")
    if name not in LIMIT_SETTINGS:
        meant = nearest(name, LIMIT_SETTINGS)
        hint = f"did you mean {meant}?" if meant else f"known: {', '.join(LIMIT_SETTINGS)}"
        raise CommandError(f"--limit {name or text} is not a known limit; {hint}")
    try:
        return name, read_limit(name, _number(value))
    except ValueError as error:
        raise CommandError(f"--limit {name}={value}: {name} {error}") from None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
