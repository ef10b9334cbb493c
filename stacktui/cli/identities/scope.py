"""The options that the commands about roles share: where, and who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import update_wrapper
from typing import Any

import click

from stacktui.check.settings import Settings
from stacktui.cli.arm import (
    ArmSession,
    report_fault,
    run_on,
    show_prompt,
    signing_in,
)
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.ask import CommandError, RemoteError
from stacktui.cli.layout import err_wrapped
from stacktui.cli.options import ArmRequest, ExitCode, format_option, identity_option, reads_arm
from stacktui.cli.output import err, warn
from stacktui.cli.secrets import with_typed_secret
from stacktui.cli.settings import read_settings
from stacktui.config.document import nearest
from stacktui.errors import FaultError
from stacktui.identities.model import Identity
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.listing import collect
from stacktui.resources.model import Principal, RoleDefinition, is_forbidden
from stacktui.resources.principals import principal_of
from stacktui.resources.role_paths import is_object_id
from stacktui.resources.roles import definition_pages, find_role
from stacktui.resources.written import ChangeError

SCHEMA = 1
_OPTIONS = (
    identity_option,
    click.option(
        "--group", metavar="NAME", help="The scope is this resource group of the subscription."
    ),
    click.option(
        "--scope",
        metavar="PATH",
        help="The scope, as ARM writes it: /subscriptions/… (default: the subscription).",
    ),
    format_option,
)


@dataclass(frozen=True, slots=True)
class RoleSession:
    """A client of an environment's ARM, and the scope that the command means, as ARM's path."""

    arm: ArmSession
    settings: Settings
    scope: str

    async def role(self, wanted: str) -> RoleDefinition:
        """Return the role of a name or an id. Raises CommandError where there is none."""
        found = await collect(definition_pages(self.arm.client, self.scope))
        if role := find_role(found.rows, wanted):
            return role
        if found.error:
            raise found.error
        names = sorted(each.name for each in found.rows)
        meant = nearest(wanted, names)
        hint = f"did you mean {meant}?" if meant else f"known: {', '.join(names[:20])}"
        raise CommandError(f"there is no role {wanted!r} at this scope; {hint}")

    async def principal(self, given: str) -> Principal:
        """Return the principal of an identity's name or client id, else of an object id.

        Raises CommandError for what is nearly an identity's name, and what `principal_of` raises.
        """
        known, errors = self.settings.identities, self.settings.identity_errors
        if given in known or given in errors:
            return await self._principal_of(self.settings.identity(given))
        if not given.isprintable() or not given.strip():
            raise CommandError("PRINCIPAL must be an object id, or the name of an identity")
        for identity in known.values():
            if identity.is_application and identity.client_id.casefold() == given.casefold():
                warn(f"{given} is the client id of {identity.name}, whose object id is meant")
                return await self._principal_of(identity)
        if not is_object_id(given):
            if meant := nearest(given, known):
                raise CommandError(f"there is no identity {given!r}; did you mean {meant}?")
            warn(f"no identity is called {given!r}; is it an object id?")
        return Principal(given.strip())

    async def _principal_of(self, identity: Identity) -> Principal:
        if not identity.object_id:
            identity = with_typed_secret(identity)
        target = replace(self.arm.target, identity=identity)
        wanted = SignIn(target.environment, identity, target.config)
        try:
            return await principal_of(wanted, TokenSource(), show_prompt)
        except FaultError as error:
            report_fault(error, target)
            message = f"{identity.name} has to sign in for its object id; or give the object id"
            raise RemoteError(message) from None


@dataclass(frozen=True, slots=True)
class RoleRequest:
    """What the options say; `run` does the command's work there."""

    request: ArmRequest
    identity: str | None
    group: str | None
    scope: str | None

    @property
    def as_json(self) -> bool:
        return self.request.format_ == "json"

    def run(self, work: Callable[[RoleSession], Awaitable[int]]) -> None:
        """Do `work` with a client, and exit with the code that it returns."""
        if self.scope is not None and (self.group is not None or self.request.subscription):
            raise click.UsageError("--scope is the whole path: leave out --group, --subscription")
        if self.scope is not None and not self.scope.startswith("/"):
            raise click.UsageError(
                f"--scope {self.scope!r} is no path: /subscriptions/ID, or below it; "
                "for a resource group: --group NAME"
            )
        settings = read_settings(self.request.source, self.request.environment)
        target = signing_in(settings, self.request.environment, self.identity)

        async def at_scope(session: ArmSession) -> int:
            try:
                return await work(RoleSession(session, settings, await self._scope_of(session)))
            except FaultError as error:
                unknown = getattr(error.fault, "code", "") == "PrincipalNotFound"
                if not (unknown or is_forbidden(error)):
                    raise
                # Nothing is wrong that a check would find.
                report_fault(error, target, saved=False)
                if unknown:
                    err("  PRINCIPAL is an object id (no client id), or the name of an identity")
                else:
                    tell_who_may()
                return ExitCode.FAULT
            except ChangeError as error:
                warn(str(error))
                if error.cause is not None:
                    report_fault(error.cause, target, saved=False)
                err_wrapped(f"  {error.help}", 4)
                return ExitCode.FAULT

        click.get_current_context().exit(run_on(target, self.request, at_scope))

    async def _scope_of(self, session: ArmSession) -> str:
        if self.scope is not None:
            return self.scope.rstrip("/")
        subscription = f"/subscriptions/{await subscription_of(session)}"
        return subscription if self.group is None else f"{subscription}/resourceGroups/{self.group}"


def tell_who_may() -> None:
    err("  an Owner or User Access Administrator may do this: --identity NAME")


def at_scope(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a command about roles, which is called with a `RoleRequest`."""

    def called(request: ArmRequest, **given: Any) -> None:
        of_scope = {name: given.pop(name) for name in ("identity", "group", "scope")}
        function(RoleRequest(request, **of_scope), **given)

    result = reads_arm(listing=False)(update_wrapper(called, function))
    for option in _OPTIONS:
        result = option(result)
    return result
