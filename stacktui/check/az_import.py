"""What the clouds that `az` knows would be as environments, beside those of a config."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from stacktui.azure_cli.cloud_file import AzClouds
from stacktui.check.pinning import AcceptError, ask_stamp
from stacktui.check.settings import Settings
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.document import ConfigError, Table
from stacktui.config.edit import ENVIRONMENTS
from stacktui.environments.cloud import Cloud, cloud_of, own_cloud
from stacktui.environments.config import read_environment
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import CloudKey, Environment
from stacktui.environments.record import RecordError, read_record
from stacktui.exchange.az_form import AzDifference, changes_of, differences, settings_of, surplus

# Stamps that are asked at once, and the seconds that all of them get.
_AT_ONCE = 16
_SECONDS = 20.0


class ImportState(StrEnum):
    """How a cloud of az's stands in the config."""

    NEW = "new"
    SAME = "same"
    DIFFERS = "differs"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class AzImport:
    """A cloud of az's. `values` are its table, for a NEW one.

    Of one that DIFFERS, `differences` have az's value and that of the environment, and `changes`
    are for `change_environment`. `reached` is false where the stamp did not answer, so that
    `values` have also what its metadata may say. `problem` says why it is UNUSABLE.
    """

    name: str
    state: ImportState
    active: bool = False
    values: Mapping[str, object] = field(default_factory=dict)
    differences: tuple[AzDifference, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)
    reached: bool = True
    problem: str = ""


async def plan_import(settings: Settings, clouds: AzClouds) -> tuple[AzImport, ...]:
    """Return what to import, in az's order. Asks each stamp for its metadata, without a secret.

    Takes 20 s at most; never raises for a stamp that does not answer.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def metadata(name: str, options: Mapping[str, str]) -> Metadata | None:
        async with limit:
            return await _metadata(settings, name, options)

    tasks = {
        name: asyncio.create_task(metadata(name, options))
        for name, options in clouds.registered.items()
    }
    if tasks:
        await asyncio.wait(tasks.values(), timeout=_SECONDS)
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    known = {name: None if task.cancelled() else task.result() for name, task in tasks.items()}
    return tuple(
        _planned(settings, name, options, known[name], active=name == clouds.in_use)
        for name, options in clouds.registered.items()
    )


async def _metadata(settings: Settings, name: str, options: Mapping[str, str]) -> Metadata | None:
    """Return the stamp's metadata as recorded, else as it answers now."""
    environment = settings.environments.get(name)
    if environment is None:
        with suppress(ValueError):
            environment = Environment(name, str(settings_of(options, {})["arm"]))
    if environment is None:
        return None
    target = CheckTarget(environment, config=settings.named)
    with suppress(RecordError):
        record = read_record(config_of(target), environment)
        if record is not None and record.is_whole:
            return record.metadata
        with suppress(AcceptError):
            return (await ask_stamp(target)).seen.metadata
        return record.metadata if record is not None and record.more else None
    return None


def _planned(
    settings: Settings,
    name: str,
    options: Mapping[str, str],
    metadata: Metadata | None,
    *,
    active: bool,
) -> AzImport:
    def unusable(problem: str) -> AzImport:
        return AzImport(name, ImportState.UNUSABLE, active, problem=problem)

    try:
        arm = str(settings_of(options, {})["arm"])
    except ValueError as error:
        return unusable(str(error))
    if name in settings.names:
        environment = settings.environments.get(name)
        if environment is None:
            return unusable("the environment of this name cannot be used")
        if environment.arm != arm:
            return unusable(f"the environment of this name is {environment.arm}")
        cloud = cloud_of(environment, metadata) if metadata else own_cloud(environment)
        found = _differences(cloud, options, whole=metadata is not None)
        state = ImportState.DIFFERS if found else ImportState.SAME
        return AzImport(name, state, active, differences=found, changes=changes_of(found))
    derived: dict[CloudKey, str] = {}
    if metadata is not None:
        of_stamp = cloud_of(Environment(name, arm), metadata)
        derived = {key: value.text for key, value in of_stamp.values.items()}
    values = settings_of(options, derived)
    try:
        read_environment(name, Table(settings.path, f"{ENVIRONMENTS}.{name}", values))
    except ConfigError as error:
        return unusable(error.message)
    return AzImport(name, ImportState.NEW, active, values, reached=metadata is not None)


def _differences(
    cloud: Cloud, options: Mapping[str, str], *, whole: bool
) -> tuple[AzDifference, ...]:
    """Return what az has otherwise or, if the `whole` cloud is known, in addition."""
    found = [each for each in differences(cloud, options) if each.registered]
    found += surplus(cloud, options) if whole else ()
    if (subscription := options.get("subscription", "")) not in ("", cloud.subscription):
        found.append(AzDifference("subscription", subscription, cloud.subscription))
    return tuple(found)
