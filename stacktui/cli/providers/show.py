"""`stacktui providers show`: one resource provider, with its types."""

from __future__ import annotations

import json

import click

from stacktui.cli.arm import ArmSession, run_arm
from stacktui.cli.arm_lists import SCHEMA, write
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.layout import out_fitting
from stacktui.cli.options import ArmRequest, ExitCode, examples, reads_arm
from stacktui.cli.output import out
from stacktui.cli.providers.table import symbol
from stacktui.resources.model import Provider, ResourceType
from stacktui.resources.providers import provider


@click.command(
    epilog=examples(
        "stacktui providers show Microsoft.Compute",
        "stacktui providers show Microsoft.Compute --format tsv | cut -f1,2",
    )
)
@click.argument("namespace", metavar="NAMESPACE")
@reads_arm()
def command(request: ArmRequest, namespace: str) -> None:
    """Show the resource provider NAMESPACE: its state, its types and api-versions.

    As tsv, prints a line for each type: its name, api-versions and locations, these separated by
    commas. As jsonl, ARM's object on one line.
    """

    async def show(session: ArmSession) -> int:
        return await _show(session, namespace)

    run_arm(request, show)


async def _show(session: ArmSession, namespace: str) -> int:
    subscription = await subscription_of(session)
    found, raw = await provider(session.client, subscription, namespace)
    match session.request.format_:
        case "json":
            head = {"schema": SCHEMA, "environment": session.environment}
            write(json.dumps({**head, "subscription": subscription, "provider": raw}))
        case "jsonl":
            write(json.dumps(raw))
        case "tsv":
            rows = ((each.name, *_listed(each, ",")) for each in found.types)
            write("\n".join(map("\t".join, rows)))
        case _:
            _write_text(found)
    return ExitCode.HEALTHY


def _write_text(found: Provider) -> None:
    needed = " · for samples" if found.needed else ""
    out(f"{symbol(found)} {found.namespace} · {found.state}{needed}")
    for each in found.types:
        versions, locations = _listed(each, ", ")
        out_fitting(f"  {each.name}  {versions}{f' · {locations}' if locations else ''}", 4)


def _listed(type_: ResourceType, between: str) -> tuple[str, str]:
    """Return the api-versions and the locations of a type."""
    return between.join(type_.api_versions), between.join(type_.locations)
