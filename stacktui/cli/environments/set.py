"""`stacktui environments set`: change settings, as remedies do."""

from __future__ import annotations

from pathlib import Path

import click

from stacktui.check.summary import METADATA_ONLY, CheckSummary
from stacktui.cli.check import check_headless
from stacktui.cli.key_values import err_changes, read_pairs
from stacktui.cli.name_completion import config_names, environment_names, starting
from stacktui.cli.options import ConfigSource, examples, talks_to_stamp
from stacktui.cli.output import err
from stacktui.cli.settings import absolute, require_writable
from stacktui.config.locations import config_file
from stacktui.environments.config import CHANGEABLE, change_environment
from stacktui.environments.profiles import DEFAULT_PROFILE, PROFILES
from stacktui.errors import StacktuiError
from stacktui.text.shell import command_line, for_this_machine


def _settings(context: click.Context, _argument: click.Parameter, incomplete: str) -> list[str]:
    """Complete a key, with its value where that is one of a few."""
    values = {"identity": config_names(context, "identities"), "profile": PROFILES}
    words = [f"{key}={value}" for key in CHANGEABLE for value in values.get(key) or ("",)]
    return starting(words, incomplete)


@click.command(
    epilog=examples("stacktui environments set West profile=2019-03-01-hybrid limits.connect=15")
)
@click.argument("name", metavar="ENV", shell_complete=environment_names)
@click.argument(
    "changes", metavar="KEY=VALUE...", nargs=-1, required=True, shell_complete=_settings
)
@click.option("--no-check", is_flag=True, help="Do not check after a change of the profile.")
@talks_to_stamp
def command(source: ConfigSource, name: str, changes: tuple[str, ...], no_check: bool) -> None:
    """Set each KEY of the environment ENV to its VALUE; `KEY=` removes the key.

    KEY is one of arm, profile, identity, subscription, ca, proxy and limits.NAME (limits.step=60),
    or endpoints.NAME, which replaces what the metadata says, or vm_image_aliases, the URL of the
    document of az's aliases for VM images.
    Prints each change. An invalid value is refused, and then nothing is changed. Comments and the
    order of the file stay. After a change of the profile it checks ENV as `stacktui check` does;
    what that finds does not change the exit code.
    """
    require_writable(source)
    # Do not load the settings: the key to be changed may be what makes them invalid.
    path = absolute(source.path)
    wanted = read_pairs(changes, CHANGEABLE)
    before = change_environment(path, name, wanted)
    if "proxy" in wanted:  # its URL may hold a password
        err(f"{name}: proxy is {'set' if wanted['proxy'] else 'taken out'}")
    texts = {key: (str(before.get(key, "")), value) for key, value in wanted.items()}
    err_changes(name, {key: each for key, each in texts.items() if key != "proxy"})
    profile = before.get("profile") or DEFAULT_PROFILE
    if (wanted.get("profile", profile) or DEFAULT_PROFILE) != profile:
        _check(source, path, name, no_check=no_check)


def _check(source: ConfigSource, path: Path, name: str, *, no_check: bool) -> None:
    """Check an environment whose profile was changed, and say on stderr what came of it."""
    named = () if path == absolute(config_file()) else ("--config", str(path))
    again = for_this_machine(command_line("stacktui check", (*named, "--", name)))
    if no_check:
        err(f"not checked with this profile yet: {again}")
        return
    try:
        found = _words(check_headless(path, name, "text", source.limits))
    except StacktuiError as error:  # the setting is written all the same
        found = f"not checked: {error}"
    err(f"{name} with this profile: {found}; again: {again}")


def _words(summary: CheckSummary) -> str:
    healthy = METADATA_ONLY if summary.metadata_only else "ok"
    return summary.verdict or ("undecided" if summary.ok is None else healthy)
