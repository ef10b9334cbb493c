"""The subscriptions that an identity can see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from stacktui.errors import FaultError
from stacktui.resources.client import ArmClient
from stacktui.resources.listing import RowPages, collect, list_rows, stream_rows
from stacktui.resources.model import ArmError, ArmProblem, Offer, Subscription

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


def subscription_path(client: ArmClient, subscription: str, what: str) -> str:
    """Return the path of a subscription; ArmError for an id that none can have."""
    if not is_id(subscription):
        message = f"no usable subscription id: {subscription}"
        raise client.error(ArmProblem.SHAPE, what, 0, message=message)
    return f"/subscriptions/{subscription}"


def read_subscription(client: ArmClient, row: Mapping[str, Any]) -> Subscription:
    return Subscription(
        client.text(row, "subscriptionId"),
        client.text(row, "displayName"),
        client.text(row, "state"),
        client.text(row, "tenantId"),
        client.text(row, "offerId").rpartition("/")[2],
    )


async def subscriptions(client: ArmClient) -> tuple[Subscription, ...]:
    """Return the subscriptions that the token's holder can see, within the limits of a check."""

    def read(row: Mapping[str, Any]) -> Subscription:
        found = read_subscription(client, row)
        if not is_id(found.id):
            raise ValueError(f"no usable subscription id: {found.id}")
        return found

    return (await list_rows(client, "/subscriptions", read, what=_WHAT)).rows


def subscription_pages(client: ArmClient) -> RowPages[Subscription]:
    """Return the pages of all visible subscriptions, as `stream_rows` yields them."""
    return stream_rows(client, "/subscriptions", read_subscription, what=_WHAT)


def named(found: Iterable[Subscription], wanted: str) -> tuple[Subscription, ...]:
    """Return the one of an id, else all of a name; ARM compares without case."""
    known, text = tuple(found), wanted.casefold()
    by_id = tuple(each for each in known if each.id.casefold() == text)
    return by_id or tuple(each for each in known if each.name.casefold() == text)


def why_limited(subscription: Subscription, tenant: str | None) -> str:
    """Return why a subscription cannot be used as others can, and who can change that; else empty.

    `tenant` is that of the token.
    """
    other = subscription.tenant.casefold()
    if tenant and other and other != tenant.casefold():
        return f"of tenant {subscription.tenant}: sign in with an identity of that tenant"
    state = subscription.state
    match state.lower():
        case "enabled":
            return ""
        case "warned" | "pastdue":
            return f"{state}: it works until it is disabled; ask its operator or owner what is due"
        case _:
            return (f"{state or 'of no state'}: ARM changes nothing in it and may not list it; "
                    "ask its operator to enable it")  # fmt: skip


def _read_offer(client: ArmClient, row: Mapping[str, Any]) -> Offer:
    title, description = client.text(row, "displayName"), client.text(row, "description")
    return Offer(client.text(row, "name"), title, description)


async def help_without_subscription(client: ArmClient) -> tuple[str, ...]:
    """Return what somebody who sees no subscription can do, and whom to ask, a sentence each."""
    who = await client.token_facts()
    principal = who.subject or "your identity"
    if who.object_id:
        principal += f" (object id {who.object_id})"
    lines = [
        f"{principal} sees no subscription: it has a role on none",
        f"ask the owner of a subscription for a role on it for {principal}; Reader can list",
    ]
    offers = (await collect(offer_pages(client))).rows
    if offers:
        named = ", ".join(f"{each.title} ({each.name})" for each in offers)
        lines.append(f"offers that you may take in the portal, under Get a subscription: {named}")
    else:
        lines.append("there is no offer that you may take: ask the operator for a subscription")
    return tuple(lines)


def offer_pages(client: ArmClient) -> RowPages[Offer]:
    """Return the pages of the offers that the token's holder may take; public Azure has none."""
    return stream_rows(client, "/offers", _read_offer, what="the offers")


async def first_enabled_subscription(client: ArmClient) -> str:
    """Return the id of the first enabled subscription; ArmError where there is none."""
    return first_enabled(client, await subscriptions(client))


def first_enabled(client: ArmClient, found: Sequence[Subscription]) -> str:
    """Return the id of the first enabled one; ArmError where there is none."""
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
