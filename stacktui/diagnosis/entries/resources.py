"""Faults of ARM, once somebody is signed in."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import arm_refusals, arm_responses, subscriptions
from stacktui.diagnosis.entries.model import AGAIN, Entry, Group, entry_of
from stacktui.diagnosis.finding import Remedy, Side

RESOURCES = (
    Entry(
        "arm-unauthorized",
        Group.RESOURCES,
        (Side.SIGN_IN,),
        "ARM does not take the token (401).",
        "ARM's code says whether it is the audience, the tenant or the end; the report puts the "
        "token's claims beside the metadata's values. What the token itself shows has names of "
        "its own: `token-audience-mismatch`, `token-expired-on-arrival`, `clock-skew`. A token "
        "that is taken, without the right to read, is `arm-forbidden`.",
        (
            Remedy("Check tenant under the identity: the tenant that ARM expects is in the report"),
            AGAIN,
        ),
        "(InvalidAuthenticationTokenTenant) The access token is from the wrong issuer '…'. … / "
        "(InvalidAuthenticationToken) … / (AuthenticationFailed) …",
    ),
    entry_of(arm_refusals.ARM_FORBIDDEN),
    entry_of(subscriptions.NO_SUBSCRIPTIONS),
    entry_of(subscriptions.SUBSCRIPTION_NOT_FOUND),
    entry_of(subscriptions.SUBSCRIPTION_DISABLED),
    entry_of(subscriptions.API_VERSION_UNSUPPORTED),
    entry_of(arm_refusals.ARM_THROTTLED),
    entry_of(arm_refusals.ARM_SERVER_ERROR),
    entry_of(arm_refusals.ARM_UNAVAILABLE),
    *map(entry_of, arm_responses.FAULTS),
)
