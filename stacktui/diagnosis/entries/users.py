"""Faults of people and machines that sign in: accounts, device codes, managed identities."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import device_code, managed_identity, sign_in_policies, users
from stacktui.diagnosis.entries.model import AGAIN, Entry, Group, entry_of
from stacktui.diagnosis.finding import Remedy, Side

USERS = (
    *map(entry_of, users.FAULTS),
    *map(entry_of, sign_in_policies.FAULTS),
    *map(entry_of, device_code.FAULTS),
    Entry(
        "login-throttled",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The sign-in service was asked too often.",
        "429 or AADSTS90055, with the time to wait where it says one (Retry-After). A lock of "
        "one account is `account-locked`; ARM's own 429 `arm-throttled`.",
        (
            AGAIN,
            Remedy("Find what signs in so often: a script should keep its token until it ends"),
        ),
        "AADSTS90055: The request was throttled. … / 429",
    ),
    *map(entry_of, managed_identity.FAULTS),
)
