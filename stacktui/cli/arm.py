"""Run a command that reads ARM: sign in, say what is waited for, and say what went wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from stacktui.check.fault_text import fault_lines, fault_summary
from stacktui.check.report import Fault
from stacktui.check.settings import Settings
from stacktui.check.summary_text import prompt_words
from stacktui.check.target import CheckTarget
from stacktui.check.trust import preload_trust
from stacktui.cli.ask import CommandError
from stacktui.cli.options import ArmRequest, ExitCode
from stacktui.cli.output import err, warn
from stacktui.cli.secrets import ask_secret
from stacktui.cli.settings import read_settings
from stacktui.cli.wait_line import WaitLine
from stacktui.errors import FaultError
from stacktui.identities.faults import CertificateFault, SecretFault
from stacktui.identities.model import PromptSecret
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.client import ArmClient
from stacktui.resources.connection import open_arm
from stacktui.resources.model import ArmFault
from stacktui.resources.providers import unregistered_in
from stacktui.resources.written import ChangeError
from stacktui.text.shell import command_line, for_this_machine


@dataclass(frozen=True, slots=True)
class ArmSession:
    """A client of the ARM that a command asks."""

    client: ArmClient
    target: CheckTarget
    request: ArmRequest
    waits: WaitLine

    @property
    def environment(self) -> str:
        return self.target.environment.name


def run_arm(request: ArmRequest, work: Callable[[ArmSession], Awaitable[int]]) -> None:
    """Do `work` with a client of the environment's ARM, and exit with the code that it returns.

    A FaultError is said on stderr, and is exit code 1.
    """
    settings = read_settings(request.source, request.environment)
    target = signing_in(settings, request.environment)
    click.get_current_context().exit(run_on(target, request, work))


def run_on(
    target: CheckTarget,
    request: ArmRequest,
    work: Callable[[ArmSession], Awaitable[int]],
    *,
    saved: bool = True,
) -> int:
    """Do `work` as `run_arm` does, for a target with an identity; return the exit code.

    `saved` says whether the config has the environment, which other commands can name then.
    """
    # Beside the imports below, as in a check.
    threading.Thread(target=preload_trust, args=(target,), daemon=True).start()
    return asyncio.run(_run(target, request, work, saved=saved))


def signing_in(
    settings: Settings, environment: str | None, identity: str | None = None
) -> CheckTarget:
    """Return the target that is named, with its identity or the one that is named.

    Raises CommandError where it has none, or that one cannot be used.
    """
    target = settings.target(environment)
    if identity is not None:
        target = replace(target, identity=settings.identity(identity))
    if target.identity is None:
        name = target.environment.name
        command = command_for("stacktui environments set", target)
        add = "add one: stacktui identities add --help"
        hint = f"{command} identity=NAME" if settings.identities else add
        raise CommandError(f"{name} has no identity to sign in with; {hint}")
    return ask_secret(target)


async def _run(
    target: CheckTarget,
    request: ArmRequest,
    work: Callable[[ArmSession], Awaitable[int]],
    *,
    saved: bool,
) -> int:
    if target.identity is None:
        raise AssertionError("an identity was asked for before")
    wanted = SignIn(target.environment, target.identity, target.config)
    waits = WaitLine()
    try:
        async with open_arm(
            wanted, TokenSource(), on_wait=waits.show, prompt=show_prompt
        ) as client:
            return await work(ArmSession(client, target, request, waits))
    except FaultError as error:
        report_fault(error, target, saved=saved)
        return ExitCode.FAULT
    finally:
        waits.clear()


def show_prompt(page: str, code: str, lifetime: float) -> None:
    until = datetime.now(UTC) + timedelta(seconds=lifetime)
    warn(f"to sign in, {prompt_words(page, code, until)}")


def report_fault(error: FaultError[Fault], target: CheckTarget, *, saved: bool = True) -> None:
    """Write to stderr what failed, every fact of it, and which command finds out why."""

    fault, identity = error.fault, target.identity
    what = getattr(fault, "what", "")
    if identity and isinstance(fault, SecretFault | CertificateFault):
        what = identity.name
    summary = fault_summary(fault)
    warn(f"{what}: {summary}" if what else summary)
    for line in fault_lines(fault):
        if line != summary:
            err(f"  {line}")
    if isinstance(fault, ArmFault) and fault.code == "MissingSubscriptionRegistration":
        if namespace := unregistered_in(error):
            line = command_for("stacktui providers register", target, namespace, "-e")
            err(f"  register it: {line}")
        return
    # At 404 what was asked for is not there, and who is asked on a terminal only is so by config:
    # nothing is broken.
    by_config = isinstance(fault, SecretFault) and fault.reference == str(PromptSecret())
    if saved and not by_config and getattr(fault, "status", 0) != 404:
        err(f"  whose side it is on, and how to fix it: {_diagnosing(fault, target)}")


def error_document(error: FaultError[Any] | ChangeError | None) -> dict[str, Any] | None:
    """Return as JSON why a change failed: ARM's answer too, where there was one."""
    if error is None:
        return None
    cause = error.cause if isinstance(error, ChangeError) else error
    fault = cause.fault if isinstance(cause, FaultError) else None
    if not isinstance(fault, ArmFault):
        return {"message": str(error)}
    return {
        "message": str(error),
        "status": fault.status,
        "code": fault.code,
        "request_id": fault.request_id,
    }


def _diagnosing(fault: Fault, target: CheckTarget) -> str:
    """Return the command that diagnoses a fault; a check signs in with the environment's own
    identity."""
    identity = target.identity
    if isinstance(fault, ArmFault) or not identity or identity.name == target.environment.identity:
        return command_for("stacktui check", target)
    return command_for("stacktui identities test", target, identity.name, "-e")


def command_for(command: str, target: CheckTarget, *words: str) -> str:
    """Return a command of ours for an environment, as this machine's shell takes it."""
    config = ("--config", str(target.config)) if target.config else ()
    return for_this_machine(command_line(command, (*words, target.environment.name, *config)))
