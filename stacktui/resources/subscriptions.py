"""The subscriptions that an identity can see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stacktui.errors import FaultError
from stacktui.resources.client import ArmClient
from stacktui.resources.listing import list_rows
from stacktui.resources.model import ArmError, ArmProblem, Subscription

_WHAT = "the subscriptions"
# ARM's codes for a subscription that cannot be used, where others may be.
_REFUSED = frozenset({"SubscriptionNotFound", "DisabledSubscription"})
# Seconds: the fault is known already, and must be reported within the step's limit.
_BESIDE = 3.0
# An id is a GUID, but any other single path segment is accepted.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")


def is_id(text: str) -> bool:
    """Return whether `text` can be a subscription's id: `..` would lead to another path."""
    return _ID.fullmatch(text) is not None


async def subscriptions(client: ArmClient) -> tuple[Subscription, ...]:
    """Return the subscriptions that the token's holder can see."""

    def read(row: Mapping[str, Any]) -> Subscription:
        id_ = client.text(row, "subscriptionId")
        if not is_id(id_):
            raise ValueError(f"no usable subscription id: {id_}")
        return Subscription(id_, client.text(row, "displayName"), client.text(row, "state"))

    return (await list_rows(client, "/subscriptions", read, what=_WHAT)).rows


async def first_enabled_subscription(client: ArmClient) -> str:
    """Return the id of the first enabled subscription; ArmError where there is none."""
    found = await subscriptions(client)
    if not found:
        raise client.error(ArmProblem.NO_SUBSCRIPTIONS, _WHAT, 200)
    enabled = next((each.id for each in found if each.enabled), None)
    if enabled is None:
        seen = ", ".join(f"{each.id} ({each.state})" for each in found)
        raise client.error(ArmProblem.NO_ENABLED_SUBSCRIPTION, _WHAT, 200, message=seen)
    return enabled


async def with_subscriptions(client: ArmClient, error: ArmError) -> ArmError:
    """Return `error` with the visible subscriptions added, where it says that one is not.

    Returns `error` itself where they cannot be listed soon.
    """
    if error.fault.code not in _REFUSED:
        return error
    try:
        async with asyncio.timeout(_BESIDE):
            return ArmError(replace(error.fault, seen=await subscriptions(client)))
    except (FaultError, TimeoutError):
        return error
