"""`stacktui environments detect`: the newest profile that a stamp accepts."""

from __future__ import annotations

import json

import click

from stacktui.check.target import config_of
from stacktui.cli.arm import signing_in
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.environments.detected_output import (
    detected_document,
    err_detected,
    find_profile,
)
from stacktui.cli.options import (
    ArmRequest,
    ConfigSource,
    ExitCode,
    environment_argument,
    examples,
    format_option,
    talks_to_stamp,
)
from stacktui.cli.output import err, out
from stacktui.cli.settings import read_settings, require_writable
from stacktui.environments.config import change_environment

SCHEMA = 1


@click.command(
    epilog=examples("stacktui environments detect West", "stacktui environments detect West --yes")
)
@environment_argument
@yes_option
@format_option
@talks_to_stamp
def command(source: ConfigSource, name: str | None, yes: bool, format_: str) -> None:
    """Find the newest profile that the stamp of ENV accepts (default: the active environment).

    Signs in, reads, and shows what each request says: the api-versions that ARM takes or names and
    its providers list, and for an operator's identity the build. Offers to set the profile.
    """
    target = signing_in(read_settings(source, name), name)
    environment = target.environment
    request = ArmRequest(source, name, None, format_)
    if (found := find_profile(target, request)) is None:
        click.get_current_context().exit(ExitCode.FAULT)
    if format_ == "json":
        document = {"schema": SCHEMA, "environment": environment.name}
        before = {"profile": environment.profile, "detected": detected_document(found)}
        click.echo(json.dumps(document | before))
    else:
        err_detected(found)
        out(found.profile)
    if found.profile == environment.profile:
        err(f"{environment.name}: {found.profile} is its profile already")
        return
    if format_ == "json" and not yes:
        return
    require_writable(source)
    confirm(f"Set profile of {environment.name} to {found.profile}?", yes=yes)
    change_environment(config_of(target), environment.name, {"profile": found.profile})
    err(f"{environment.name}: profile = {found.profile} (was: {environment.profile})")
    err("check again: what was found before was of the other profile")
