"""`stacktui environments show`: the settings, the record of the stamp, and its endpoints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict

import click

from stacktui.azure_cli.cloud_file import AzFileError, read_clouds
from stacktui.azure_cli.ini_files import azure_folder
from stacktui.certificates.chain import describe
from stacktui.check.pinning import AcceptError, ask_stamp, differences
from stacktui.check.target import CheckTarget, config_of
from stacktui.cli.ask import RemoteError
from stacktui.cli.environments.cloud_output import WIDTH, cloud_document, out_cloud
from stacktui.cli.layout import out_fitting
from stacktui.cli.options import (
    ConfigSource,
    environment_argument,
    examples,
    format_option,
    talks_to_stamp,
)
from stacktui.cli.output import err, out
from stacktui.cli.settings import read_target
from stacktui.environments.cloud import Cloud, cloud_of
from stacktui.environments.config import TEXTS
from stacktui.environments.metadata import disagreements
from stacktui.environments.model import Environment
from stacktui.environments.record import RecordError, StampRecord, read_record
from stacktui.exchange.az_form import AzState, AzSync, az_sync
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.limits import LIMIT_SETTINGS, Limits

SCHEMA = 1


@click.command(epilog=examples("stacktui environments show West"))
@environment_argument
@click.option(
    "--fetch", is_flag=True, help="Ask the stamp too, and show what is not as it was recorded."
)
@format_option
@talks_to_stamp
def command(source: ConfigSource, name: str | None, fetch: bool, format_: str) -> None:
    """Show the settings of ENV (default: the active environment), and what was recorded of it.

    Shows every endpoint with its origin: the metadata, the naming rule, or you. `environments add`,
    or else the first successful check, records them, and the root that signs for ARM. If the login
    endpoint or the audience changes later, no secret is sent until you accept it. Then also says
    whether az knows the stamp, and what it has otherwise.
    """
    target = read_target(source, name)
    record, nothing = None, "Nothing is recorded yet."
    try:
        record = read_record(config_of(target), target.environment)
    except RecordError as error:
        nothing = "What was recorded cannot be read."
        err(f"stacktui: {error}")
    settings, recorded = dict(_settings(target.environment)), dict(_recorded(record))
    cloud = cloud_of(target.environment, record.metadata) if record else None
    sync = _sync(cloud) if cloud and record and record.more else None
    drifted = _drifted(target) if fetch else None
    if format_ == "json":
        document = {"schema": SCHEMA, "environment": target.environment.name}
        document |= {"settings": settings, "recorded": recorded or None}
        document |= {"cloud": cloud_document(cloud) if cloud else None}
        document |= {"az": sync and asdict(sync)}
        if drifted is not None:
            names = ("field", "recorded", "now")
            document["drifted"] = [dict(zip(names, each, strict=True)) for each in drifted]
        click.echo(json.dumps(document))
        return
    out(target.environment.name)
    _say(settings)
    out()
    out("What was recorded of the stamp" if recorded else nothing)
    _say(recorded)
    if cloud:
        out()
        out("Endpoints, and where each comes from")
        out_cloud(cloud)
    for what, before, now in drifted or ():
        out_fitting(f"! {what} was recorded as {before}, and is now {now}")
    if drifted == []:
        out("The stamp is as it was recorded.")
    # Who does not use az need not hear of it.
    if sync is not None and (sync.name or azure_folder().is_dir()):
        out()
        out("In az")
        _say(dict(_in_az(sync)))


def _sync(cloud: Cloud) -> AzSync | None:
    """Return how the cloud stands in az; None where that cannot be said."""
    try:
        return az_sync(cloud, read_clouds())
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
        yield each.option, f"{there} (stamp: {escape_control_chars(each.expected) or 'none'})"


def _drifted(target: CheckTarget) -> list[tuple[str, str, str]] | None:
    """Return what the stamp says now that is not as recorded, None where nothing is recorded.

    Raises RemoteError.
    """
    try:
        diff = asyncio.run(ask_stamp(target))
    except AcceptError as error:
        raise RemoteError(str(error)) from None
    if diff.known is None:
        err("stacktui: nothing is recorded to compare with")
        return None
    found = disagreements(diff.known.metadata, diff.seen.metadata)
    return [*found, *(each for each in differences(diff) if each[0] == "root")]


def _say(values: dict[str, str]) -> None:
    for key, value in values.items():
        out_fitting(f"  {key:<{WIDTH}} {value}", WIDTH + 3)


def _settings(environment: Environment) -> Iterator[tuple[str, str]]:
    for key in TEXTS:
        value = getattr(environment, key)
        if value is not None:
            # A proxy's URL may hold a password.
            shown = value if key != "proxy" else str(value).rpartition("@")[2]
            yield key, escape_control_chars(str(shown))
    if environment.endpoints:
        pairs = (f"{key} = {value}" for key, value in environment.endpoints.items())
        yield "endpoints", escape_control_chars(", ".join(pairs))
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
