"""The resource providers of a subscription: registration, types, api-versions and locations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from stacktui.resources.client import ArmClient
from stacktui.resources.listing import RowPages, stream_rows
from stacktui.resources.model import Provider, ResourceType
from stacktui.resources.subscriptions import subscription_path
from stacktui.text.json_fields import items

# Those that the samples of the vendor's documents need, in lower case.
_NEEDED = frozenset(
    {"microsoft.compute", "microsoft.network", "microsoft.storage", "microsoft.keyvault"}
)
_WHAT = "the resource providers"


def provider_pages(client: ArmClient, subscription: str) -> RowPages[Provider]:
    """Return the pages of all providers of a subscription, as `stream_rows` yields them."""
    path = f"{subscription_path(client, subscription, _WHAT)}/providers"
    return stream_rows(client, path, read_provider, what=_WHAT)


async def provider(
    client: ArmClient, subscription: str, namespace: str
) -> tuple[Provider, Mapping[str, Any]]:
    """Return one provider, and ARM's object, unsanitised."""
    what = f"the resource provider {namespace}"
    scope = subscription_path(client, subscription, what)
    row = await client.read(
        f"{scope}/providers/{quote(namespace, '', errors='replace')}", what=what
    )
    return read_provider(client, row), row


def read_provider(client: ArmClient, row: Mapping[str, Any]) -> Provider:
    namespace = client.text(row, "namespace")
    types = tuple(
        ResourceType(
            client.text(each, "resourceType"),
            _texts(client, each, "apiVersions"),
            _texts(client, each, "locations"),
        )
        for each in items(row, "resourceTypes")
    )
    state = client.text(row, "registrationState")
    return Provider(namespace, state, types, namespace.lower() in _NEEDED)


def _texts(client: ArmClient, row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = items(row, key)
    return tuple(client.redactor.sanitize(each, 80) for each in found if isinstance(each, str))
