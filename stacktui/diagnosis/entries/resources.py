"""What ARM says when it gives no resource groups."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import arm_refusals, arm_responses, subscriptions, token_claims
from stacktui.diagnosis.entries.model import entry_of

RESOURCES = (
    entry_of(token_claims.ARM_UNAUTHORIZED),
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
