"""`stacktui groups create`: make a resource group."""

from __future__ import annotations

import click

from stacktui.cli.ask import confirm
from stacktui.cli.groups.change import (
    ChangeRequest,
    ChangeResult,
    GroupSession,
    changes_group,
    tag_option,
)
from stacktui.cli.groups.table import tags_text
from stacktui.cli.options import examples
from stacktui.resources.group_changes import NAME_RULE, carry_out, is_group_name, plan_creation


@click.command(
    epilog=examples(
        "stacktui groups create rg-test --location local",
        "stacktui groups create rg-test --location local --tag env=test --yes",
    )
)
@click.option("--location", metavar="NAME", required=True, help="A location of the stamp.")
@tag_option
@changes_group
def command(request: ChangeRequest, name: str, location: str, tags: dict[str, str]) -> None:
    """Make the resource group NAME at a location.

    Shows the request and asks. One that is there is refused: creating it again would replace its
    tags. Exits with 0 once the group has been seen, and with 1 where it is not made, or that is
    unknown.
    """
    if not is_group_name(name):
        raise click.BadParameter(f"a name has {NAME_RULE}", param_hint="NAME")

    async def create(session: GroupSession) -> ChangeResult:
        client = session.arm.client
        plan = await plan_creation(client, session.subscription, name, location, tags)
        session.show(session.request_lines(plan.method, plan.path, plan.version, plan.body))
        question = f"{session.arm.environment}: create the resource group {name}?"
        confirm(question, yes=session.yes)
        group, row = await carry_out(client, plan)
        more = (f"id: {group.id}", f"tags: {tags_text(group) or 'none'}")
        line = f"✓ created resource group {group.name} at {group.location}"
        return ChangeResult("ok", line, more, row)

    request.run("create", name, create)
