"""Tenants, subscriptions, locations and offers."""

from __future__ import annotations

from stacktui.stamp.arm.lists import values
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager, SubscriptionContents
from stacktui.stamp.messages import Response, json_response

_OFFERS = (
    ("standard", "Standard", "Virtual machines, storage and networks for production"),
    ("trial", "Trial", "Two virtual machines for thirty days"),
)


def tenants(arm: ResourceManager, asked: ArmRequest) -> Response:
    tenant = arm.directory.tenant
    return values([{"id": f"/tenants/{tenant}", "tenantId": tenant}])


def list_subscriptions(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the subscriptions in which the caller has a role, and those of another tenant."""
    return values(
        [
            _document(contents)
            for contents in arm.subscriptions.values()
            if contents.subscription.tenant != arm.directory.tenant
            or arm.sees(asked.caller, contents)
        ]
    )


def get_subscription(arm: ResourceManager, asked: ArmRequest) -> Response:
    return json_response(200, _document(asked.contents))


def locations(arm: ResourceManager, asked: ArmRequest) -> Response:
    return values(
        [
            {
                "id": f"{asked.contents.path}/locations/{name}",
                "name": name,
                "displayName": name,
                "latitude": "47.64",
                "longitude": "-122.13",
            }
            for name in arm.hosts.locations
        ]
    )


def offers(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the offers that a user may subscribe to."""
    found = []
    for number in range(arm.options.offers):
        name, title, description = _OFFERS[number % len(_OFFERS)]
        if number >= len(_OFFERS):
            name, title = f"{name}-{number + 1}", f"{title} {number + 1}"
        found.append(
            {
                "id": f"/delegatedProviders/default/offers/{name}",
                "name": name,
                "displayName": title,
                "description": description,
            }
        )
    return values(found)


def _document(contents: SubscriptionContents) -> dict[str, object]:
    subscription = contents.subscription
    return {
        "id": contents.path,
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.name,
        "state": subscription.state.value,
        "subscriptionPolicies": {
            "locationPlacementId": "AzureStack",
            "quotaId": "AzureStack_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
    }
