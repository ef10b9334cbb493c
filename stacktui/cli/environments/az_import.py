"""Importing the clouds that `az` knows: show what they would be, ask, write."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from stacktui.azure_cli.cloud_file import clouds_file, read_clouds
from stacktui.check.az_import import AzImport, ImportState, plan_import
from stacktui.check.settings import Settings
from stacktui.cli.ask import ask, confirm
from stacktui.cli.output import err
from stacktui.environments.config import add_environments, change_environment


def import_from_az(settings: Settings, *, yes: bool) -> None:
    """Add each cloud as an environment; the active one becomes active where none is.

    An environment of the same name is changed only where a user says so: `yes` is no answer to
    that. Raises AzFileError, ConfigError, and CommandError where the user says no.
    """
    clouds = read_clouds()
    planned = asyncio.run(plan_import(settings, clouds))
    err(f"{clouds_file()}: {len(planned) or 'no'} cloud{'' if len(planned) == 1 else 's'}")
    for each in planned:
        for line in _lines(each):
            err(line)
    new = [each for each in planned if each.state is ImportState.NEW]
    if new:
        names = ", ".join(each.name for each in new)
        confirm(f"Add {names} to {settings.path}?", yes=yes)
        # The first becomes the active one.
        new.sort(key=lambda each: not each.active)
        add_environments(settings.path, {each.name: each.values for each in new})
        err(f"added: {names}")
    for each in planned:
        if each.state is not ImportState.DIFFERS:
            continue
        if yes or not ask(f"Change {each.name} to what az has?"):
            err(f"{each.name}: left as it is")
            continue
        change_environment(settings.path, each.name, each.changes)
        err(f"{each.name}: changed")


def _lines(planned: AzImport) -> Iterator[str]:
    active = ", active in az" if planned.active else ""
    yield f"  {planned.name}: {planned.state}{active}{planned.problem and f': {planned.problem}'}"
    for each in planned.differences:
        yield f"    {each.option} = {each.registered} (here: {each.expected or 'none'})"
    for key, value in planned.values.items():
        if key != "endpoints":
            yield f"    {key} = {value}"
    own = planned.values.get("endpoints")
    if isinstance(own, dict):
        yield (
            "    with its own, as the stamp says otherwise:"
            if planned.reached
            else "    with its own, as the stamp could not be asked:"
        )
        yield from (f"      {key} = {value}" for key, value in own.items())
