"""What the commands share that do steps of the walk: options, questions and output."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import click

from stacktui.cli.arm import (
    ArmSession,
    error_document,
    report_fault,
    run_on,
    signing_in,
)
from stacktui.cli.arm_lists import write
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.identities.scope import tell_who_may
from stacktui.cli.layout import err_wrapped, out_fitting
from stacktui.cli.options import ArmRequest, ExitCode, format_option, identity_option, reads_arm
from stacktui.cli.output import out, warn
from stacktui.cli.settings import read_settings, require_writable
from stacktui.errors import FaultError
from stacktui.resources.identity_steps import (
    Walk,
    WalkOutcome,
    WalkStepName,
    WalkStepResult,
    WalkStepStarted,
)
from stacktui.resources.identity_walk import stopped, walk
from stacktui.resources.managed_identities import NAME_RULE, ManagedIdentityError, is_identity_name
from stacktui.resources.model import is_forbidden

_SYMBOLS = {
    WalkOutcome.OK: "✓",
    WalkOutcome.ALREADY: "✓",
    WalkOutcome.FAILED: "✗",
    WalkOutcome.SKIPPED: "–",
}
_INTERRUPTED = ManagedIdentityError(
    "interrupted: whether it was done is unknown; run it again, it makes nothing twice"
)
_NOTHING_SENT = ManagedIdentityError("interrupted; it changed nothing")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?", re.ASCII)


def _name(_context: click.Context, _option: click.Parameter, given: str) -> str:
    if not is_identity_name(given):
        raise click.BadParameter(f"a name has {NAME_RULE}")
    return given


def _not_empty(_context: click.Context, _option: click.Parameter, given: str) -> str:
    if not given.strip():
        raise click.BadParameter("a name is needed")
    return given


def _version(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is not None and not _VERSION.fullmatch(given):
        raise click.BadParameter("an api-version is a date, such as 2016-09-01")
    return given


_group_option = click.option(
    "--group",
    metavar="NAME",
    required=True,
    callback=_not_empty,
    help="The resource group of the identity.",
)
_name_option = click.option(
    "--name", metavar="NAME", required=True, callback=_name, help="The name of the identity."
)
_vm_option = click.option(
    "--vm",
    "machine",
    metavar="NAME",
    required=True,
    callback=_not_empty,
    help="The VM, in the same resource group.",
)
_api_version_option = click.option(
    "--api-version",
    metavar="DATE",
    callback=_version,
    help="The api-version of the group's request (default: the profile's).",
)


def does_steps(*names: WalkStepName) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command that does these steps from a function with its name and help alone."""
    writes = names != (WalkStepName.PROVE,)
    options = [_group_option, _name_option]
    options += [_vm_option] * (WalkStepName.ASSIGN in names)
    options += [_api_version_option] * (WalkStepName.PROVE in names)
    options += [yes_option] * writes + [identity_option, format_option]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def called(request: ArmRequest, **given: Any) -> None:
            if writes:
                require_writable(request.source)
            _run(request, names, **given)

        result = reads_arm(listing=False)(update_wrapper(called, function))
        for option in reversed(options):
            result = option(result)
        return result

    return decorate


def _run(
    request: ArmRequest,
    names: tuple[WalkStepName, ...],
    *,
    group: str,
    name: str,
    identity: str | None,
    yes: bool = False,
    machine: str = "",
    api_version: str | None = None,
) -> None:
    settings = read_settings(request.source, request.environment)
    target = signing_in(settings, request.environment, identity)

    async def do(session: ArmSession) -> int:
        results: list[WalkStepResult] = []
        running, writing = names[0], False

        async def ask(_step: WalkStepName, words: str, lines: tuple[str, ...]) -> None:
            if not yes:
                for line in lines:
                    err_wrapped(f"  {line}", 10)
            question = f"{session.environment}: {words}?"
            confirm(question, yes=yes, otherwise="nothing more was changed")
            nonlocal writing
            writing = True

        def write_document() -> bool:
            ok = all(each.outcome is not WalkOutcome.FAILED for each in results)
            if request.format_ == "json":
                write(json.dumps({"ok": ok, "steps": [*map(_document, results)]}))
            return ok

        try:
            subscription = await subscription_of(session)
        except FaultError as error:
            results = stopped(names, running, error)
            write_document()
            raise
        where = Walk(
            session.client,
            target.environment,
            subscription,
            group,
            name,
            ask,
            machine,
            api_version,
            on_wait=session.waits.show,
        )
        try:
            async for event in walk(where, names):
                session.waits.clear()
                if isinstance(event, WalkStepStarted):
                    running, writing = event.name, False
                    continue
                results.append(event)
                if request.format_ == "text":
                    _write(event)
                _report(event, session)
        except asyncio.CancelledError:  # Ctrl+C
            session.waits.clear()
            left = names[len(results) :]
            results += stopped(left, running, _INTERRUPTED if writing else _NOTHING_SENT)
            if writing and request.format_ == "text":
                _write(results[-len(left)])
            write_document()
            raise
        return ExitCode.HEALTHY if write_document() else ExitCode.FAULT

    click.get_current_context().exit(run_on(target, request, do))


def _write(result: WalkStepResult) -> None:
    width = max(map(len, WalkStepName))
    states = max(map(len, WalkOutcome))
    head = f"{_SYMBOLS[result.outcome]} {result.name:{width}}  {result.outcome:{states}}"
    out_fitting(f"{head}  {result.words}", width + states + 6)
    for line in result.lines:
        out_fitting(f"  {line}", 10)
    for line in result.commands:
        out(line)  # whole, so that it can be copied


def _report(result: WalkStepResult, session: ArmSession) -> None:
    """Write to stderr why a step failed, and what to do."""
    error = result.error
    cause = error.cause if isinstance(error, ManagedIdentityError) else error
    if isinstance(error, ManagedIdentityError) and session.request.format_ != "text":
        warn(f"{result.name}: {error}")
    if cause is not None:
        # What the managed identity may not do, no check of the environment's would find.
        saved = result.name is not WalkStepName.PROVE and not is_forbidden(cause)
        report_fault(cause, session.target, saved=saved)
        if is_forbidden(cause) and result.name is not WalkStepName.PROVE:
            tell_who_may()
    if isinstance(error, ManagedIdentityError) and error.help:
        err_wrapped(f"  {error.help}", 4)


def _document(result: WalkStepResult) -> dict[str, Any]:
    """Return a step as JSON; `error` is null unless it failed."""
    document = {"name": result.name, "outcome": result.outcome, "message": result.words}
    document |= result.facts
    return document | {"commands": list(result.commands), "error": error_document(result.error)}
