"""`stacktui environments show`: the settings, and the record of the stamp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from stacktui.azure_cli.cloud_file import AzFileError, read_clouds
from stacktui.azure_cli.ini_files import azure_folder
from stacktui.certificates.chain import describe
from stacktui.check.cloud import recorded_cloud
from stacktui.check.target import CheckTarget, config_of
from stacktui.cli.layout import out_fitting
from stacktui.cli.options import config_option, environment_argument, examples, format_option
from stacktui.cli.output import err, out
from stacktui.cli.settings import read_settings
from stacktui.environments.model import Environment
from stacktui.environments.record import RecordError, StampRecord, read_record
from stacktui.exchange.az_form import AzState, AzSync, az_sync
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.limits import LIMIT_SETTINGS, Limits

SCHEMA = 1
_WIDTH = 15


@click.command(epilog=examples("stacktui environments show West"))
@environment_argument
@format_option
@config_option
@click.pass_obj
def command(parent: Path | None, name: str | None, format_: str, config: Path | None) -> None:
    """Show the settings of ENV (default: the active environment), and what was recorded of it.

    The first successful check records the login endpoint, the audience and the root that signs for
    ARM. If one of the first two changes later, no secret is sent until you accept it. Then also
    says whether az knows the stamp, and what it has otherwise.
    """
    target = read_settings(parent, config, name=name).target(name)
    record, nothing = None, "Nothing is recorded yet."
    try:
        record = read_record(config_of(target), target.environment)
    except RecordError as error:
        nothing = "What was recorded cannot be read."
        err(f"stacktui: {error}")
    settings, recorded = dict(_settings(target.environment)), dict(_recorded(record))
    sync = _sync(target) if recorded else None
    if format_ == "json":
        document = {"schema": SCHEMA, "environment": target.environment.name}
        document |= {"settings": settings, "recorded": recorded or None}
        click.echo(json.dumps(document | {"az": sync and asdict(sync)}))
        return
    out(target.environment.name)
    _say(settings)
    out()
    out("Recorded at the first successful check" if recorded else nothing)
    _say(recorded)
    # Who does not use az need not hear of it.
    if sync is not None and (sync.name or azure_folder().is_dir()):
        out()
        out("In az")
        _say(dict(_in_az(sync)))


def _sync(target: CheckTarget) -> AzSync | None:
    """Return how the environment stands in az; None where that cannot be said."""
    try:
        cloud = recorded_cloud(target)
        return az_sync(cloud, read_clouds()) if cloud else None
    except AzFileError as error:
        err(f"stacktui: {error}")
        return None


def _in_az(sync: AzSync) -> Iterator[tuple[str, str]]:
    if sync.state is AzState.ABSENT:
        yield "cloud", "absent"
        return
    active = ", active" if sync.active else ""
    yield "cloud", f"{escape_control_chars(sync.name)}{active}: {sync.state}"
    for each in sync.differences:
        there = escape_control_chars(each.registered) or "missing"
        yield each.option, f"{there} (stamp: {escape_control_chars(each.expected)})"


def _say(values: dict[str, str]) -> None:
    for key, value in values.items():
        out_fitting(f"  {key:<{_WIDTH}} {value}", _WIDTH + 3)


def _settings(environment: Environment) -> Iterator[tuple[str, str]]:
    for key in ("arm", "profile", "identity", "subscription", "ca", "proxy"):
        value = getattr(environment, key)
        if value is not None:
            # A proxy's URL may hold a password.
            shown = value if key != "proxy" else str(value).rpartition("@")[2]
            yield key, escape_control_chars(str(shown))
    if environment.resolve:
        pins = (f"{place} = {pin}" for place, pin in environment.resolve.items())
        yield "resolve", escape_control_chars(", ".join(pins))
    limits = {name: getattr(environment.limits, name) for name in LIMIT_SETTINGS}
    if set_here := {n: v for n, v in limits.items() if v != getattr(Limits(), n)}:
        yield "limits", ", ".join(f"{name} = {value:g}" for name, value in set_here.items())


def _recorded(record: StampRecord | None) -> Iterator[tuple[str, str]]:
    if record is None:
        return
    yield "login endpoint", escape_control_chars(record.login_endpoint)
    yield "audience", escape_control_chars(record.audience)
    if record.signer:
        root = describe(record.signer)
        yield "root", f"{root.issuer_name}{f', SHA-256 {root.sha256}' if root.self_issued else ''}"
    yield "recorded", f"{record.recorded:%Y-%m-%d %H:%M} UTC"
