"""`stacktui groups show`: one resource group, and each of its lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from stacktui.cli.arm import ArmSession, report_fault, run_arm
from stacktui.cli.arm_lists import SCHEMA, write, writer_of
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.groups.table import GROUPS, symbol, tags_text
from stacktui.cli.layout import out_fitting
from stacktui.cli.options import ArmRequest, ExitCode, examples, reads_arm
from stacktui.cli.output import out
from stacktui.resources.group_details import GroupDetails, group_details, newest_first
from stacktui.resources.groups import group_path, read_group, resource_group
from stacktui.resources.listing import RowPage, Rows
from stacktui.resources.model import Lock, ResourceGroup
from stacktui.resources.permissions import allowed_words
from stacktui.resources.portal import portal_link

# The most deployments that are shown as text, the newest.
_DEPLOYMENTS = 5
_WIDTH = 13


@click.command(
    epilog=examples(
        "stacktui groups show rg-web-prod-01",
        "stacktui groups show rg-web-prod-01 --format json | jq .locks",
    )
)
@click.argument("name", metavar="NAME")
@reads_arm()
def command(request: ArmRequest, name: str) -> None:
    """Show the resource group NAME: tags, portal link, locks, deployments, resources.

    Says what you may do with it: read, write, delete, assign roles. A list that is refused leaves
    the others, is named on stderr, and ends with exit code 1. As jsonl and tsv, prints the group's
    own line alone.
    """

    async def show(session: ArmSession) -> int:
        return await _show(session, name)

    run_arm(request, show)


async def _show(session: ArmSession, name: str) -> int:
    client = session.client
    subscription = await subscription_of(session)
    path = group_path(client, subscription, name)
    group, raw = await resource_group(client, path)
    if session.request.format_ in ("jsonl", "tsv"):
        page = RowPage((raw,), lambda row: read_group(client, row), last=True)
        writer_of(session, GROUPS).page(page)
        return ExitCode.HEALTHY
    found = await group_details(client, path)
    portal = await _portal(session, group)
    lists: dict[str, Rows[Any]] = {
        "resources": found.resources,
        "locks": found.locks,
        "deployments": found.deployments,
        "permissions": found.permissions,
    }
    may = None if found.permissions.error else allowed_words(found.permissions.rows)
    if session.request.format_ == "json":
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "environment": session.environment,
            "subscription": subscription,
            "group": raw,
            "portal": portal or None,
            "may": may,
        }
        # None stands for a list that was refused; one that broke off is not given as a whole one.
        document |= {key: None if rows.error else rows.raw for key, rows in lists.items()}
        write(json.dumps(document))
    else:
        out(f"{symbol(group)} {group.name}")
        for label, value in (("id", group.id), ("portal", portal)):
            if value:  # whole, so that it can be copied
                out(_labelled(label, value))
        for line in _lines(group, found, may):
            out_fitting(line, _WIDTH + 2)
    failed = [rows.error for rows in lists.values() if rows.error]
    for error in failed:
        report_fault(error, session.target)
    return ExitCode.FAULT if failed else ExitCode.HEALTHY


async def _portal(session: ArmSession, group: ResourceGroup) -> str:
    metadata = await session.client.metadata()
    tenant = (await session.client.token_facts()).tenant or ""
    return portal_link(session.target.environment, group.id, metadata=metadata, tenant=tenant)


def _lines(group: ResourceGroup, found: GroupDetails, may: tuple[str, ...] | None) -> Iterator[str]:
    for label, value in (
        ("state", group.state),
        ("location", group.location),
        ("tags", tags_text(group) or "none"),
        ("you may", _REFUSED if may is None else ", ".join(may) or "nothing"),
    ):
        yield _labelled(label, value)
    yield from _listed("locks", found.locks, [_lock(each, group) for each in found.locks.rows])
    newest = newest_first(found.deployments.rows)
    deployed = [
        " · ".join(filter(None, (each.name, each.state, each.error, each.time)))
        for each in newest[:_DEPLOYMENTS]
    ]
    if len(newest) > _DEPLOYMENTS:
        deployed.append(f"and {len(newest) - _DEPLOYMENTS} older ones")
    yield from _listed("deployments", found.deployments, deployed)
    inside = [f"{each.name} · {each.type} · {each.location}" for each in found.resources.rows]
    yield from _listed("resources", found.resources, inside)


_REFUSED = "not read, see below"


def _labelled(label: str, value: str) -> str:
    return f"  {label:<{_WIDTH}}{value}"


def _listed(label: str, rows: Rows[Any], texts: list[str]) -> Iterator[str]:
    """Return a line for each text, the label before the first."""
    if rows.error:
        texts = [*texts, _REFUSED]
    for number, text in enumerate(texts or ["none"]):
        yield _labelled("" if number else label, text)


def _lock(lock: Lock, group: ResourceGroup) -> str:
    here, scope = group.id.lower(), lock.scope.lower()
    if scope == here:
        where = "on this group"
    else:
        where = "on the subscription" if here.startswith(scope) else f"on {lock.scope}"
    return " · ".join(filter(None, (lock.name, lock.level, where, lock.notes)))
