"""Exporting an environment into the files of `az`: show what changes, ask, write."""

from __future__ import annotations

from collections.abc import Iterable

from stacktui.azure_cli.cloud_file import (
    AzClouds,
    activate,
    clouds_file,
    read_clouds,
    register,
    require_registrable,
    turn_instance_discovery_off,
)
from stacktui.cli.ask import ask, confirm
from stacktui.cli.output import err, warn
from stacktui.environments.cloud import Cloud
from stacktui.environments.profiles import PROFILES
from stacktui.exchange.az_form import (
    AzDifference,
    differences,
    needs_instance_discovery_off,
    options_of,
    surplus,
)
from stacktui.exchange.az_setup import selecting
from stacktui.exchange.shells import az_line, shell_of_this_machine
from stacktui.text.shell import command_line, for_this_machine

_NEEDS_OFF = "For this login host az needs core.instance_discovery=false"


def export_to_az(cloud: Cloud, *, active: bool, discovery_off: bool, yes: bool) -> None:
    """Write the cloud as a section of `clouds.config`.

    `active` makes it az's active cloud. `discovery_off` turns off `core.instance_discovery`, which
    is for all of az's clouds; else a user is asked where the cloud needs it, and `yes` is no answer
    to that. Raises AzFileError, and CommandError where the user says no.
    """
    options = options_of(cloud)
    require_registrable(cloud.name, options, PROFILES)
    clouds = read_clouds()
    activates = active and clouds.active != cloud.name
    needs_off = clouds.instance_discovery and needs_instance_discovery_off(cloud)
    changed = _show(cloud, clouds)
    if activates:
        err(f"active cloud of az: {clouds.active or 'AzureCloud'} -> {cloud.name}")
    if changed or activates:
        confirm("Write this?", yes=yes)
    if changed and (written := register(cloud.name, options, PROFILES)) is not None:
        before = f"; as it was before: {written.backup}" if written.backup else ""
        err(f"{written.path}: [{cloud.name}] is written{before}")
    if activates:
        activate(cloud.name)
        err(f"{cloud.name} is az's active cloud")
    if discovery_off or (needs_off and not yes and _may_turn_discovery_off()):
        turn_instance_discovery_off()
        err("core.instance_discovery of az is false, for all its clouds")
    elif needs_off and yes:
        warn(f"{_NEEDS_OFF}, which is for all its clouds: --no-instance-discovery sets it")
    if needs_instance_discovery_off(cloud) and clouds.instance_discovery_here:
        warn(f"{_NEEDS_OFF}, but AZURE_CORE_INSTANCE_DISCOVERY turns it on here")
    if (used := clouds.active_here) and used != cloud.name:
        warn(f"AZURE_CLOUD_NAME={used} is set here: az uses that cloud")
    _say_what_is_next(cloud.name, active=active or clouds.active == cloud.name)


def _show(cloud: Cloud, clouds: AzClouds) -> bool:
    """Write what changes to stderr, and return whether anything does."""
    known = clouds.registered.get(cloud.name)
    found, more = list(differences(cloud, known or {})), list(surplus(cloud, known or {}))
    if not found:
        same = ", with more than the stamp has" if more else ", the same"
        err(f"{clouds_file()}: [{cloud.name}] is there{same}")
        _show_surplus(more)
        return False
    err(f"{clouds_file()}: [{cloud.name}] {'is new' if known is None else 'changes'}")
    for each in found:
        if each.registered:
            err(f"  - {each.option} = {each.registered}")
        err(f"  + {each.option} = {each.expected}")
    _show_surplus(more)
    return True


def _show_surplus(more: Iterable[AzDifference]) -> None:
    for each in more:
        err(f"    {each.option} = {each.registered} stays; the stamp has none")


def _may_turn_discovery_off() -> bool:
    err(f"{_NEEDS_OFF}.")
    return ask("Set that too? It is for all of az's clouds")


def _say_what_is_next(name: str, *, active: bool) -> None:
    if not active:
        err(f"next: {az_line(shell_of_this_machine(), selecting(name))}")
    signing_in = command_line("stacktui environments export", [name, "--format", "az-commands"])
    err(f"{'next' if active else 'then'}: az login; with all its options:")
    err(f"      {for_this_machine(signing_in)}")
