"""Faults of ARM: tokens and callers that it refuses, subscriptions, resource groups, pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from stacktui.stamp.directory import SubscriptionState
from stacktui.stamp.faults import overrides
from stacktui.stamp.faults.model import Fault, FaultyEndpoint
from stacktui.stamp.faults.overrides import OverrideContext, ResponseOverride
from stacktui.stamp.health import StampHealth
from stacktui.stamp.messages import Delivery, Request

FOREIGN_ORIGIN = "https://management.east.fabrikam.invalid"


def _groups(summary: str, override: ResponseOverride) -> Fault:
    return Fault(summary, endpoint=FaultyEndpoint.GROUP_LIST, override=override)


def _link_to_itself(document: Any, request: Request, context: OverrideContext) -> None:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    document["nextLink"] = f"{context.arm}{request.path}?{query}"


def _link_elsewhere(document: Any, request: Request, _context: OverrideContext) -> None:
    document["nextLink"] = f"{FOREIGN_ORIGIN}{request.path}?api-version=2019-10-01&$skiptoken=eyJ"


FAULTS: dict[str, Fault] = {
    "arm-unauthorized": Fault(
        "access tokens are of another tenant",
        edit_claims=lambda claims: claims.update(tid=str(uuid4())),
    ),
    "arm-forbidden": Fault(
        "reading resource groups is denied",
        denied_actions=frozenset({"Microsoft.Resources/subscriptions/resourceGroups/read"}),
    ),
    "operator-health": Fault(
        "operators read that an update is running, and an alert is active",
        health=StampHealth(
            updating=timedelta(minutes=74),
            alerts=(("Node AzS-ERCS01 is offline", "Critical"),),
        ),
        for_operators=True,
    ),
    "no-subscriptions": Fault(
        "there is no subscription",
        server_overrides=lambda directory: replace(directory, subscription_state=None),
    ),
    "subscription-not-found": Fault(
        "the client is handed a subscription that is not there",
        server_overrides=lambda directory: replace(directory, subscription=str(uuid4())),
    ),
    "subscription-disabled": Fault(
        "the subscription is disabled",
        server_overrides=lambda directory: replace(
            directory, subscription_state=SubscriptionState.DISABLED
        ),
    ),
    "api-version-unsupported": Fault("the stamp is of build 1802", build="1802"),
    "arm-throttled": _groups(
        "resource groups answers 429 with Retry-After",
        overrides.arm_error(
            429,
            "TooManyRequests",
            "Number of read requests for subscription '{subscription}' exceeded the limit. "
            "Please try again after '17' seconds.",
            {"Retry-After": "17"},
        ),
    ),
    "arm-server-error": _groups(
        "resource groups answers 500",
        overrides.arm_error(
            500,
            "InternalServerError",
            "Encountered internal server error. Diagnostic information: timestamp '{timestamp}', "
            "subscription id '{subscription}', tracking id '{tracking}'.",
        ),
    ),
    "arm-unavailable": _groups(
        "resource groups answers 503 with Retry-After",
        overrides.arm_error(
            503,
            "ServiceUnavailable",
            "The service is unavailable. The tracking id is '{tracking}'.",
            {"Retry-After": "60"},
        ),
    ),
    "arm-intercepted": _groups(
        "resource groups answers with a gateway's redirect",
        overrides.redirect("https://gateway.contoso.invalid/blocked?rule=42"),
    ),
    "arm-not-json": _groups(
        "resource groups answers JSON cut after 60 bytes", overrides.truncate(60)
    ),
    "arm-reset": _groups(
        "resource groups is reset in mid-answer", overrides.deliver(Delivery.RESET)
    ),
    "arm-timeout": _groups("resource groups never answers", overrides.deliver(Delivery.NEVER)),
    "paging-loop": _groups(
        "nextLink repeats the page it is on", overrides.edit_json(_link_to_itself)
    ),
    "paging-foreign-host": _groups(
        "nextLink leaves the stamp", overrides.edit_json(_link_elsewhere)
    ),
}
