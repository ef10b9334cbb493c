"""`stacktui groups tag`: set and remove tags of a resource group."""

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
from stacktui.resources.group_changes import carry_out, plan_tags


@click.command(
    epilog=examples(
        "stacktui groups tag rg-web-prod-01 --tag owner=ops --tag cost=42",
        "stacktui groups tag rg-web-prod-01 --remove owner --yes",
    )
)
@tag_option
@click.option(
    "--remove", metavar="NAME", multiple=True, help="A tag that the group loses. Repeatable."
)
@changes_group
def command(
    request: ChangeRequest, name: str, tags: dict[str, str], remove: tuple[str, ...]
) -> None:
    """Set tags of the resource group NAME, and remove some; its other tags stay.

    Shows the tags before and after, and asks. ARM replaces all tags at once, so they are read right
    before. Where nothing is to be changed, nothing is sent.
    """
    if not (tags or remove):
        raise click.UsageError("give a --tag NAME=VALUE, or a tag to --remove")
    if both := {each.casefold() for each in tags} & {each.casefold() for each in remove}:
        raise click.UsageError(f"the tag {min(both)} is to be set and removed")

    async def tag(session: GroupSession) -> ChangeResult:
        client = session.arm.client
        wanted = {**tags, **dict.fromkeys(remove)}
        plan = await plan_tags(client, session.subscription, name, wanted)
        before = tags_text(plan.before) if plan.before else ""
        if plan.body is None:
            line = f"– nothing to change: resource group {plan.name} has {before or 'no tags'}"
            return ChangeResult("already", line, (), plan.row)
        session.show(
            (
                *session.request_lines(plan.method, plan.path, plan.version, plan.body),
                f"tags before: {before or 'none'}",
            )
        )
        question = f"{session.arm.environment}: change the tags of the resource group {plan.name}?"
        confirm(question, yes=session.yes)
        group, row = await carry_out(client, plan)
        more = (f"before: {before or 'none'}", f"after:  {tags_text(group) or 'none'}")
        return ChangeResult("ok", f"✓ tagged resource group {group.name}", more, row)

    request.run("tag", name, tag)
