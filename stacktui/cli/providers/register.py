"""`stacktui providers register`: let a subscription use a resource provider."""

from __future__ import annotations

import json
from typing import Any

import click

from stacktui.cli.arm import ArmSession, report_fault, run_on, signing_in
from stacktui.cli.arm_lists import SCHEMA, write
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.layout import out_fitting
from stacktui.cli.options import (
    ArmRequest,
    ExitCode,
    examples,
    format_option,
    identity_option,
    reads_arm,
)
from stacktui.cli.output import err, warn
from stacktui.cli.settings import read_settings, require_writable
from stacktui.errors import FaultError
from stacktui.resources.model import Provider, is_forbidden
from stacktui.resources.providers import RegistrationError, provider, register, registered
from stacktui.text.shell import command_line, for_this_machine


@click.command(
    epilog=examples(
        "stacktui providers register Microsoft.KeyVault",
        "stacktui providers register Microsoft.Web -e West --identity owner --yes",
    )
)
@click.argument("namespace", metavar="NAMESPACE")
@reads_arm(listing=False)
@identity_option
@yes_option
@format_option
def command(request: ArmRequest, namespace: str, identity: str | None, yes: bool) -> None:
    """Register the resource provider NAMESPACE for the subscription, and wait until it is.

    That is what MissingSubscriptionRegistration asks for. One that is registered already stays so,
    and the exit code is 0. Registering takes minutes: Ctrl+C leaves it going on, and the same
    command waits again.
    """
    require_writable(request.source)
    settings = read_settings(request.source, request.environment)
    target = signing_in(settings, request.environment, identity)

    async def do(session: ArmSession) -> int:
        subscription = await subscription_of(session)
        before, _ = await provider(session.client, subscription, namespace)
        asked = not (before.registered or before.registering)
        if asked:
            question = f"{session.environment}: register {before.namespace} for {subscription}?"
            confirm(question, yes=yes)
        try:
            if asked:
                await register(session.client, subscription, before.namespace)
            found = await registered(session.client, subscription, before.namespace)
        except (FaultError, RegistrationError) as error:
            return _report(error, session, before)
        session.waits.clear()
        if request.format_ == "json":
            document = {
                "schema": SCHEMA,
                "environment": session.environment,
                "subscription": subscription,
                "namespace": found.namespace,
                "state": found.state,
                "changed": found.registered and not before.registered,
            }
            write(json.dumps(document))
        elif found.registered:
            state = "was registered already" if before.registered else "is registered"
            out_fitting(f"✓ {found.namespace} {state}")
        if found.registered:
            return ExitCode.HEALTHY
        warn(f"{found.namespace} is {found.state}; to look again: {_look(session, found)}")
        return ExitCode.FAULT

    click.get_current_context().exit(run_on(target, request, do))


def _report(
    error: FaultError[Any] | RegistrationError, session: ArmSession, before: Provider
) -> int:
    """Say what failed, and how to find out whether the provider is registered nevertheless."""
    session.waits.clear()
    cause = error.cause if isinstance(error, RegistrationError) else error
    forbidden = cause is not None and is_forbidden(cause)
    if cause is None:
        warn(str(error))
    else:
        report_fault(cause, session.target, saved=not forbidden)
    if forbidden:
        action = f"{before.namespace}/register/action"
        err(f"  it takes {action}, which Contributor and Owner have: --identity NAME")
    else:
        err(f"  whether it is registered is unknown; look: {_look(session, before)}")
    return ExitCode.FAULT


def _look(session: ArmSession, of: Provider) -> str:
    target = session.target
    options = ("--config", str(target.config)) if target.config else ()
    words = (of.namespace, "--environment", target.environment.name, *options)
    return for_this_machine(command_line("stacktui providers show", words))
