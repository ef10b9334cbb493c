"""What the commands share that change a resource group: options, questions and output."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

import click

from stacktui.cli.arm import (
    ArmSession,
    command_for,
    error_document,
    report_fault,
    run_on,
    signing_in,
)
from stacktui.cli.arm_lists import SCHEMA, write
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.ask import yes_option
from stacktui.cli.layout import err_wrapped, out_fitting
from stacktui.cli.options import ArmRequest, ExitCode, format_option, identity_option, reads_arm
from stacktui.cli.output import err, warn
from stacktui.cli.settings import read_settings, require_writable
from stacktui.errors import FaultError
from stacktui.resources.group_changes import TAG_RULE, is_tag, request_lines
from stacktui.resources.model import ArmFault, is_forbidden
from stacktui.resources.operations import Operation, OperationState
from stacktui.resources.retry import is_passing
from stacktui.resources.written import ChangeError


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """How a change ended: `outcome` is `ok`, `already` where nothing was to be done, `running`
    where ARM goes on with it, `failed` or `unknown`. `row` is ARM's group, before or after."""

    outcome: str
    line: str
    more: tuple[str, ...] = ()
    row: Mapping[str, Any] | None = None
    operation: Operation | None = None
    error: FaultError[Any] | ChangeError | None = None


@dataclass(slots=True)
class GroupSession:
    """A client of an environment's ARM, for a group of a subscription.

    `remembered` is False once a deletion goes on that the file of operations could not take.
    """

    arm: ArmSession
    subscription: str
    yes: bool
    remembered: bool = True

    def show(self, lines: Iterable[str]) -> None:
        """Write to stderr what a question is about, unless `--yes` answers it."""
        if not self.yes:
            for line in lines:
                err_wrapped(f"  {line}", 4)

    def request_lines(
        self, method: str, path: str, version: str, body: object = None
    ) -> tuple[str, ...]:
        """Return a request as it is sent."""
        return request_lines(self.arm.target.environment, method, path, version, body)

    @property
    def follow_up_command(self) -> str:
        """The command that shows how what was begun goes on."""
        command = "stacktui operations list" if self.remembered else "stacktui groups list"
        return command_for(command, self.arm.target, "-e")


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What the options say; `run` does the command's work."""

    request: ArmRequest
    identity: str | None
    yes: bool

    def run(
        self, change: str, name: str, work: Callable[[GroupSession], Awaitable[ChangeResult]]
    ) -> None:
        """Do `work`, write how it ended, and exit: with 0 where that is `ok` or needs no more."""
        require_writable(self.request.source)
        settings = read_settings(self.request.source, self.request.environment)
        target = signing_in(settings, self.request.environment, self.identity)

        async def do(session: ArmSession) -> int:
            subscription = await subscription_of(session)
            group = GroupSession(session, subscription, self.yes)
            try:
                result = await work(group)
            except (FaultError, ChangeError) as error:
                unknown = isinstance(error, ChangeError) and error.unknown
                result = ChangeResult("unknown" if unknown else "failed", "", error=error)
            except asyncio.CancelledError:  # Ctrl+C
                session.waits.clear()
                warn(f"what was sent goes on in ARM; see it: {group.follow_up_command}")
                raise
            session.waits.clear()
            self._write(change, result, group)
            if result.error:
                _report(result.error, session, name)
            failed = result.outcome in (OperationState.FAILED, OperationState.UNKNOWN)
            return ExitCode.FAULT if failed else ExitCode.HEALTHY

        click.get_current_context().exit(run_on(target, self.request, do))

    def _write(self, change: str, result: ChangeResult, session: GroupSession) -> None:
        if self.request.format_ == "json":
            began = result.operation and result.operation.began
            document = {
                "schema": SCHEMA,
                "environment": session.arm.environment,
                "subscription": session.subscription,
                "change": change,
                "outcome": result.outcome,
                "group": result.row,
                "began": began,
                "error": error_document(result.error),
            }
            write(json.dumps(document))
        elif result.line:
            out_fitting(result.line)
            for line in result.more:
                out_fitting(f"  {line}", 4)


def _report(error: FaultError[Any] | ChangeError, session: ArmSession, name: str) -> None:
    """Write to stderr why a change failed, and what to do."""
    cause = error.cause if isinstance(error, ChangeError) else error
    if isinstance(error, ChangeError):
        warn(str(error))
        if error.help:
            err_wrapped(f"  {error.help}", 4)
    if cause is not None:
        # What ARM refuses to do here, no check would find.
        report_fault(cause, session.target, saved=is_passing(cause))
        if is_forbidden(cause):
            err("  a Contributor or an Owner may do this: --identity NAME")
        if isinstance(cause.fault, ArmFault) and cause.fault.code == "ScopeLocked":
            show = command_for("stacktui groups show", session.target, name, "-e")
            err(f"  its locks: {show}")
    if not (isinstance(error, ChangeError) and error.unknown):
        err("  nothing was changed")


def changes_group(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a command that changes a group, which is called with a ChangeRequest."""

    def called(request: ArmRequest, *, identity: str | None, yes: bool, **given: Any) -> None:
        function(ChangeRequest(request, identity, yes), **given)

    result = reads_arm(listing=False)(update_wrapper(called, function))
    for option in (format_option, identity_option, yes_option):
        result = option(result)
    return click.argument("name", metavar="NAME")(result)


def _tags(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    tags: dict[str, str] = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or not is_tag(name, value):
            raise click.BadParameter(f"write NAME=VALUE; {TAG_RULE}")
        if name.casefold() in map(str.casefold, tags):
            raise click.BadParameter(f"the tag {name} is given twice; ARM ignores the case")
        tags[name] = value
    return tags


tag_option = click.option(
    "--tag",
    "tags",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_tags,
    help="A tag of the group. Repeatable.",
)
