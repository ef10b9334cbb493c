"""What trust, untrust and export share: places and fingerprints from the command line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from stacktui.certificates.bundle import plain
from stacktui.certificates.destination import Destination, ca_of, own
from stacktui.check.settings import Settings, load_settings
from stacktui.cli.ask import CommandError
from stacktui.config.locations import config_file
from stacktui.text.sanitize import visible
from stacktui.text.shell import bash, powershell

# What a SHA-256 fingerprint looks like, with colons or without.
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}")
# A part of one, or a SHA-1.
_DIGITS = re.compile(r"[0-9A-Fa-f: ]+")
_MAX_SHOWN = 100

store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, readable=False),
    metavar="PATH",
    help="The PEM bundle of another program, as `certificates stores` lists them: az's certifi.",
)
environment_option = click.option(
    "--environment", metavar="NAME", help="The ca of this environment."
)


def fingerprint_in(argument: str) -> str | None:
    """The SHA-256 (lower case, no colons) that an argument is, unless a file has that name.

    Raises CommandError for what is neither a file nor the whole of a fingerprint.
    """
    if os.path.lexists(argument):
        return None
    if _FINGERPRINT.fullmatch(argument):
        return plain(argument)
    if _DIGITS.fullmatch(argument):
        raise CommandError(
            f"{argument[:_MAX_SHOWN]} is no file, and no SHA-256 either: "
            "that has 64 digits, with colons or without"
        )
    return None


def read_settings(
    parent: Path | None, config: Path | None, limits: Mapping[str, float] | None = None
) -> Settings:
    """The config, by its absolute path; its warnings go to stderr. Raises ConfigError."""
    settings = load_settings(_absolute(config_file(config or parent)), limits)
    for warning in settings.warnings:
        tell(f"stacktui: {warning}")
    return settings


def destination_of(
    settings: Settings | None,
    store: Path | None,
    environment: str | None,
    ders: Sequence[bytes] = (),
    *,
    to_add: bool,
) -> Destination:
    """The one bundle that the options name: stacktui's own if none does."""
    if store is not None and environment is not None:
        raise click.UsageError("Name one place: --store or --environment.")
    if store is not None:
        if to_add and not os.path.lexists(store):
            raise CommandError(
                f"{visible(str(_absolute(store)))} is not there; "
                "stacktui certificates stores lists the bundles on this box"
            )
        return Destination(_absolute(store))
    if environment is None or settings is None:
        return own()
    chosen = settings.target(environment).environment
    if chosen.ca is None and not to_add:
        raise CommandError(visible(f"{chosen.name} has no ca, so nothing was added to it"))
    return ca_of(settings.path, settings.environments, chosen.name, ders)


def place_options(
    settings: Settings | None, store: Path | None, environment: str | None
) -> tuple[str, ...]:
    """The options that name the same bundle again, wherever they are given."""
    if store is not None:
        return ("--store", os.path.abspath(store))
    if environment is None or settings is None:
        return ()
    usual = settings.path == _absolute(config_file())
    named = () if usual else ("--config", str(settings.path))
    return ("--environment", environment, *named)


def command_line(command: str, arguments: Sequence[str]) -> dict[str, str]:
    """A command of ours with arguments from outside, quoted for either shell."""
    return {
        "bash": " ".join((command, *map(_bash_word, arguments))),
        "powershell": " ".join((command, *map(_powershell_word, arguments))),
    }


def of_this_box(lines: dict[str, str]) -> str:
    """The line for the shell that this box's users have."""
    return lines["powershell" if sys.platform == "win32" else "bash"]


def _bash_word(word: str) -> str:
    return word if _is_plain(word) else bash(word)


def _powershell_word(word: str) -> str:
    return word if _is_plain(word) else powershell(word)


def _is_plain(word: str) -> bool:
    return word.isascii() and word.lstrip("-").isalnum()


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # unlike Path.resolve, this keeps links as they are named


def tell(text: str = "") -> None:
    """Talk: one harmless line on stderr."""
    click.echo(visible(text), err=True)


def rows(fingerprint: str, width: int = 47) -> tuple[str, str]:
    """A fingerprint with colons in two rows, so that it fits a terminal of 80 columns."""
    return fingerprint[: width + 1], fingerprint[width + 1 :]


def plural(number: int, word: str = "certificate") -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def when(moment: Any) -> str:
    """A day, as people write it in tickets."""
    return f"{moment:%Y-%m-%d}" if moment is not None else "?"
