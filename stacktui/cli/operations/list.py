"""`stacktui operations list`: the deletions that were begun, and how they are now."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import partial

import click

from stacktui.cli.arm import ArmSession, error_document, report_fault, run_on, signing_in
from stacktui.cli.arm_lists import Table, write_list
from stacktui.cli.options import ArmRequest, ExitCode, examples, identity_option, reads_arm
from stacktui.cli.output import warn
from stacktui.cli.settings import read_settings
from stacktui.config.read_only import is_read_only
from stacktui.resources.group_deletion import OperationResult, state_of
from stacktui.resources.listing import RowPage
from stacktui.resources.operations import OperationState, forget, others, remembered
from stacktui.text.times import moment_text

_SYMBOLS = {
    OperationState.RUNNING: "–",
    OperationState.SUCCEEDED: "✓",
    OperationState.FAILED: "✗",
    OperationState.UNKNOWN: "!",
}
_ENDED = (OperationState.SUCCEEDED, OperationState.FAILED)


def _cells(result: OperationResult) -> tuple[str, ...]:
    operation = result.operation
    began = datetime.fromisoformat(operation.began)
    since = moment_text(began, datetime.now(UTC))
    where = operation.subscription
    return result.state, "delete group", operation.group, since, where, operation.path


_TABLE = Table(
    "operations",
    "operation",
    ("state", "operation", "resource group", "since", "subscription"),
    lambda result: _SYMBOLS[result.state],
    _cells,
)


@click.command(
    epilog=examples("stacktui operations list", "stacktui operations list -e West --format json")
)
@identity_option
@reads_arm(subscription=False)
def command(request: ArmRequest, identity: str | None) -> None:
    """List the deletions that were begun in an environment, each with its state now.

    They go on in ARM, whoever began them. One that has ended is listed once, and then forgotten.
    Exits with 1 if one failed, or its state is unknown.
    """
    settings = read_settings(request.source, request.environment)
    target = signing_in(settings, request.environment, identity)
    click.get_current_context().exit(run_on(target, request, _list))


async def _list(session: ArmSession) -> int:
    target, results = session.target, list[OperationResult]()
    found = remembered(target.config, target.environment)
    if not found:
        warn(f"nothing was begun in {session.environment} that may still go on")
    if elsewhere := others(target.config, target.environment):
        warn(f"there are operations of other environments (-e NAME): {', '.join(elsewhere)}")

    async def pages() -> AsyncGenerator[RowPage[OperationResult], None]:
        for number, operation in enumerate(found, 1):
            result = await state_of(session.client, operation)
            results.append(result)
            yield RowPage((_document(result),), partial(_same, result), number == len(found))

    code = await write_list(session, pages(), _TABLE)
    for result in results:
        if result.state in (OperationState.FAILED, OperationState.UNKNOWN):
            warn(f"{result.operation.group}: {result.words}")
            if result.error:
                report_fault(result.error, target)
            code = ExitCode.FAULT
        if result.state in _ENDED and not is_read_only():
            forget(result.operation)  # now that it has been written
    return code


def _same(result: OperationResult, _row: object) -> OperationResult:
    return result


def _document(result: OperationResult) -> dict[str, object]:
    operation = result.operation
    return {
        "operation": "delete",
        "id": operation.path,
        "subscription": operation.subscription,
        "group": operation.group,
        "began": operation.began,
        "state": result.state,
        "message": result.words,
        "error": error_document(result.error),
    }
