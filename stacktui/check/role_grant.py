"""Granting Reader to the identity that ARM refused, as another identity of the config."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from stacktui.check.fault_text import fault_summary
from stacktui.check.report import Report
from stacktui.check.settings import Settings
from stacktui.check.step_names import StepName
from stacktui.environments.metadata import Metadata
from stacktui.environments.record import read_records
from stacktui.errors import FaultError, StacktuiError
from stacktui.identities.model import Identity
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.client import ArmClient
from stacktui.resources.connection import open_arm
from stacktui.resources.group_details import permission_pages
from stacktui.resources.listing import collect
from stacktui.resources.model import Principal
from stacktui.resources.permissions import GROUP_ACTIONS, allowed
from stacktui.resources.principals import principal_with
from stacktui.resources.role_paths import READER, quoted
from stacktui.resources.roles import Granted, find_assignment, grant
from stacktui.resources.written import ChangeError


class GrantError(StacktuiError):
    """A role was not granted; the message says why."""


@dataclass(frozen=True, slots=True)
class Grantor:
    """An identity that may be able to grant.

    `known_here` is as in `Settings.is_known_at`.
    """

    sign_in: SignIn
    known_here: bool

    @property
    def identity(self) -> Identity:
        return self.sign_in.identity


def grantors(report: Report, settings: Settings) -> tuple[Grantor, ...]:
    """Return who may be able to grant a role in a report's environment; blocks on disk."""
    target, metadata = report.target, report.step(StepName.METADATA).evidence.result
    known = settings.environments.values()
    login = {name: each.login_endpoint for name, each in read_records(settings.path, known).items()}
    if isinstance(metadata, Metadata):
        login[target.environment.name] = metadata.login_endpoint
    found = []
    for identity in settings.identities.values():
        if identity.name == target.environment.identity:
            continue
        known_here = settings.is_known_at(identity, target.environment, login)
        found.append(Grantor(SignIn(target.environment, identity, target.config), known_here))
    return tuple(sorted(found, key=lambda each: not each.known_here))


def grantee(report: Report, object_id: str) -> Principal:
    """Return the identity of a report as a principal of this object id."""
    identity = report.target.identity
    return Principal(object_id) if identity is None else principal_with(identity, object_id)


async def why_not(wanted: Sequence[SignIn], tokens: TokenSource, scope: str) -> dict[str, str]:
    """Return of each identity, by name, why it cannot grant a role at a scope; empty if it can.

    Each takes at most as long as a step of a check.
    """
    found = await asyncio.gather(*(_why_not(each, tokens, scope) for each in wanted))
    return {each.identity.name: why for each, why in zip(wanted, found, strict=True)}


async def _why_not(wanted: SignIn, tokens: TokenSource, scope: str) -> str:
    longest = wanted.environment.limits.step
    try:
        async with asyncio.timeout(longest), open_arm(wanted, tokens) as client:
            found = await collect(permission_pages(client, quoted(scope)))
    except TimeoutError:
        return f"no answer in {longest:g} s"
    except FaultError as error:
        return fault_summary(error.fault)
    if found.error is not None:
        return fault_summary(found.error.fault)
    return "" if allowed(found.rows, GROUP_ACTIONS["assign roles"]) else "it may not assign roles"


async def grant_reader(
    wanted: SignIn, tokens: TokenSource, scope: str, principal: Principal
) -> Granted:
    """Give a principal Reader at a scope, as another identity. Raises GrantError."""
    try:
        async with open_arm(wanted, tokens) as client:
            await client.token()  # nothing of ARM's end is unknown where this fails
            try:
                return await grant(client, scope, READER, principal)
            except ChangeError as error:
                return await _looked_again(client, scope, principal, error)
    except FaultError as error:
        raise GrantError(f"not granted: {fault_summary(error.fault)}") from None


async def _looked_again(
    client: ArmClient, scope: str, principal: Principal, error: ChangeError
) -> Granted:
    """Return what a grant of unknown end has come to. Raises GrantError, in one short line."""
    why = fault_summary(error.cause.fault) if error.cause else str(error)
    try:
        found = await find_assignment(client, scope, READER, principal)
    except FaultError:
        raise GrantError(f"granted or not is unknown: {why}; again is safe") from None
    if found is None:
        raise GrantError(f"not granted: {why}") from None
    return Granted(found, changed=True)
