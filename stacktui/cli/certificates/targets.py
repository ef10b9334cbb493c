"""The bundle and the certificate that the options of trust and untrust name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import click

from stacktui.certificates.bundle import plain
from stacktui.certificates.trust_target import TrustTarget, ca_target, own_bundle_target
from stacktui.check.settings import Settings
from stacktui.cli.ask import CommandError
from stacktui.cli.name_completion import environment_names
from stacktui.cli.settings import absolute
from stacktui.config.locations import config_file

# What a SHA-256 fingerprint looks like, with colons or without.
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}")
# A part of one, or a SHA-1.
_DIGITS = re.compile(r"[0-9A-Fa-f: ]+")
_MAX_SHOWN = 100

store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, readable=False),
    metavar="PATH",
    help="The PEM bundle of another program, as `certificates stores` lists them.",
)
environment_option = click.option(
    "--environment",
    metavar="NAME",
    shell_complete=environment_names,
    help="The ca of this environment.",
)


def fingerprint_in(argument: str) -> str | None:
    """Return the SHA-256 in an argument (lower case, no colons), None if it names a file.

    Raises CommandError for an argument that is neither a file nor a complete fingerprint.
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


def target_of(
    settings: Settings | None,
    store: Path | None,
    environment: str | None,
    ders: Sequence[bytes] = (),
    *,
    to_add: bool,
) -> TrustTarget:
    """Return the bundle that the options name, by default stacktui's own."""
    if store is not None and environment is not None:
        raise click.UsageError("Name one place: --store or --environment.")
    if store is not None:
        if to_add and not os.path.lexists(store):
            raise CommandError(
                f"{absolute(store)} is not there; "
                "stacktui certificates stores lists the bundles on this machine"
            )
        return TrustTarget(absolute(store))
    if environment is None or settings is None:
        return own_bundle_target()
    chosen = settings.target(environment).environment
    if chosen.ca is None and not to_add:
        raise CommandError(f"{chosen.name} has no ca, so nothing was added to it")
    return ca_target(settings.path, settings.environments, chosen.name, ders)


def target_options(
    settings: Settings | None, store: Path | None, environment: str | None
) -> tuple[str, ...]:
    """Return the options that name the same bundle, for a command to print."""
    if store is not None:
        return ("--store", os.path.abspath(store))
    if environment is None or settings is None:
        return ()
    usual = settings.path == absolute(config_file())
    named = () if usual else ("--config", str(settings.path))
    return ("--environment", environment, *named)
