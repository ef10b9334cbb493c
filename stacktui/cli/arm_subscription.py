"""The subscription that a command means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stacktui.cli.arm import ArmSession
from stacktui.cli.ask import CommandError
from stacktui.cli.output import warn
from stacktui.resources.model import ArmError, ArmProblem, Subscription
from stacktui.resources.subscriptions import (
    first_enabled,
    help_without_subscription,
    named,
    subscription_pages,
    why_limited,
)

_GUID = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def subscription_of(session: ArmSession) -> str:
    """Return the id: of `--subscription`, of the environment, else the first enabled one.

    An id is taken as it is, without asking ARM. Raises CommandError where no subscription, or
    several, have the name, and ArmError where none can be used.
    """
    wanted = session.request.subscription or session.target.environment.subscription
    if wanted and _GUID.fullmatch(wanted):
        return wanted
    found = await all_subscriptions(session)
    if wanted:
        return one_named(found, wanted).id
    return await _first_enabled(session, found)


async def _first_enabled(session: ArmSession, found: Sequence[Subscription]) -> str:
    try:
        return first_enabled(session.client, found)
    except ArmError as error:
        if error.fault.problem is ArmProblem.NO_SUBSCRIPTIONS:
            await explain_none(session)
        await explain_limited(session, found)
        raise


async def usable_subscriptions(session: ArmSession) -> list[Subscription]:
    """Return the enabled ones of the token's tenant, and say why the others are left out.

    Raises ArmError where no subscription is enabled.
    """
    found = await all_subscriptions(session)
    await _first_enabled(session, found)
    await explain_limited(session, found, "not listed: ")
    tenant = (await session.client.token_facts()).tenant
    return [each for each in found if not why_limited(each, tenant)]


async def all_subscriptions(session: ArmSession) -> list[Subscription]:
    return [each async for page in subscription_pages(session.client) for each in page]


def one_named(found: Sequence[Subscription], wanted: str) -> Subscription:
    """Return the one of an id or a name. Raises CommandError."""
    same = named(found, wanted)
    if len(same) == 1:
        return same[0]
    if same:
        ids = ", ".join(each.id for each in same)
        raise CommandError(f"{len(same)} subscriptions have the name {wanted}; give the id: {ids}")
    known = ", ".join(f"{each.name} ({each.id})" for each in found[:10]) or "none"
    raise CommandError(f"no subscription {wanted} is visible; stacktui subscriptions list: {known}")


async def explain_none(session: ArmSession) -> None:
    """Say what to do where no subscription is visible."""
    for line in await help_without_subscription(session.client):
        warn(line)


async def explain_limited(
    session: ArmSession, found: Sequence[Subscription], before: str = ""
) -> None:
    """Say of each subscription that cannot be used as others why that is."""
    tenant = (await session.client.token_facts()).tenant
    for each in found:
        if why := why_limited(each, tenant):
            warn(f"{before}{each.name} ({each.id}) is {why}")
