"""`stacktui groups delete`: delete a resource group, with all that is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing

import click

from stacktui.cli.ask import confirm_by_typing
from stacktui.cli.groups.change import ChangeRequest, ChangeResult, GroupSession, changes_group
from stacktui.cli.options import examples
from stacktui.cli.output import warn
from stacktui.resources.group_deletion import (
    DeletionAccepted,
    PlannedDeletion,
    delete,
    plan_deletion,
)
from stacktui.resources.operations import OperationState
from stacktui.text.counts import count_of

# The most resources that a question names.
_MOST = 20


@click.command(
    epilog=examples(
        "stacktui groups delete rg-test",
        "stacktui groups delete rg-test --yes --no-wait",
    )
)
@click.option(
    "--no-wait", is_flag=True, help="Return once ARM has taken it; see stacktui operations list."
)
@changes_group
def command(request: ChangeRequest, name: str, no_wait: bool) -> None:
    """Delete the resource group NAME and all that is in it.

    Shows what is inside, and asks for the name in full. Waits until the group is gone, through lost
    connections too, and exits with 0 only once that was seen. Ctrl+C leaves the deletion to ARM:
    `stacktui operations list` finds it again, and so does this command. Where there is no such
    group, nothing is done, and the exit code is 0.
    """

    async def remove(session: GroupSession) -> ChangeResult:
        client = session.arm.client
        plan = await plan_deletion(client, session.subscription, name)
        if plan is None:
            line = f"– there is no resource group {client.redactor.sanitize(name)}"
            return ChangeResult("already", f"{line}: nothing to delete")
        group = plan.group
        if group.is_deleting:
            warn(f"the resource group {group.name} is being deleted already")
        else:
            session.show(_lines(session, plan))
            question = f"{session.arm.environment}: type its name to delete it ({group.name})"
            confirm_by_typing(question, group.name, yes=session.yes)
        result, operation = None, None
        async with aclosing(delete(client, plan, session.arm.target.config)) as events:
            async for event in events:
                if not isinstance(event, DeletionAccepted):
                    result = event
                    continue
                operation = event.operation
                if event.not_remembered:
                    session.remembered = False
                    warn(f"the deletion is not remembered: {event.not_remembered}")
                if no_wait:
                    break
        if result is None:
            line = f"– ARM deletes resource group {group.name}; see {session.follow_up_command}"
            return ChangeResult("running", line, (), plan.row, operation)
        line = f"✓ deleted resource group {group.name}: {result.words}"
        if result.state is not OperationState.SUCCEEDED:
            line = f"✗ resource group {group.name} is not deleted: {result.words}"
            return ChangeResult("failed", line, (), plan.row, operation, result.error)
        return ChangeResult("ok", line, (), plan.row, operation)

    request.run("delete", name, remove)


def _lines(session: GroupSession, plan: PlannedDeletion) -> Iterator[str]:
    """Return what is deleted, and what may prevent it."""
    yield from session.request_lines("DELETE", plan.path, plan.version)
    inside = plan.resources
    if inside.error:
        yield f"what is in it is not known: {inside.error}"
    else:
        yield f"in it: {count_of(len(inside.rows), 'resource') if inside.rows else 'nothing'}"
    for each in inside.rows[:_MOST]:
        yield f"- {each.name} · {each.type}"
    if len(inside.rows) > _MOST:
        yield f"- and {len(inside.rows) - _MOST} more"
    for lock in plan.locks.rows:
        yield f"! locked, so that ARM will refuse: {lock.name} · {lock.level} · {lock.scope}"
    if plan.locks.error:
        yield f"its locks are not known: {plan.locks.error}"
