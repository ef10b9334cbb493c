"""The resource providers of a subscription: registration, types, api-versions and locations."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from stacktui.resources.client import ArmClient
from stacktui.resources.listing import RowPages, stream_rows
from stacktui.resources.model import ArmError, Provider, ResourceType
from stacktui.resources.subscriptions import subscription_path
from stacktui.resources.written import ChangeError, written
from stacktui.text.json_fields import items

# Those that the samples of the vendor's documents need, in lower case.
_NEEDED = frozenset(
    {"microsoft.compute", "microsoft.network", "microsoft.storage", "microsoft.keyvault"}
)
_WHAT = "the resource providers"
# In ARM's message of a provider that is not registered.
_NAMESPACE = re.compile(r"namespace '([A-Za-z][A-Za-z0-9.]{0,79})'")
# Seconds. A provider registers in each of its locations, which may take minutes.
REGISTER_TIMEOUT = 1800.0
# Seconds between two looks at a registration: the first, and the most.
FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0


class RegistrationError(ChangeError):
    """A provider cannot be registered, or whether it is being registered is unknown."""


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


async def register(client: ArmClient, subscription: str, namespace: str) -> Provider:
    """Ask ARM to register a provider, which goes on afterwards: `registered` waits for its end.

    Where the end of the request is unknown, ARM is asked how the provider is: a second request is
    sent only if the first left nothing. Raises RegistrationError where it is still unknown, and
    what `ArmClient.request` raises where ARM refuses.
    """
    what = f"the registration of {namespace}"
    scope = subscription_path(client, subscription, what)
    path = f"{scope}/providers/{quote(namespace, '', errors='replace')}/register"

    async def begun() -> Provider | None:
        found, _ = await provider(client, subscription, namespace)
        return found if found.registered or found.registering else None

    return await written(
        lambda: client.request("POST", path, what=what),
        begun,
        what,
        RegistrationError,
        ("has begun", "has not begun"),
    )


async def registered(client: ArmClient, subscription: str, namespace: str) -> Provider:
    """Return a provider once its registration ended, or as it is after REGISTER_TIMEOUT."""
    clock = asyncio.get_running_loop().time
    ends, seconds = clock() + REGISTER_TIMEOUT, FIRST_PAUSE
    while True:
        found, _ = await provider(client, subscription, namespace)
        if not found.registering or clock() + seconds > ends:
            return found
        await client.wait(f"{found.namespace}: {found.state}", 0, seconds)
        seconds = min(2 * seconds, _LONGEST_PAUSE)


def unregistered_in(error: BaseException) -> str:
    """Return the namespace that a subscription is to be registered for before what failed is tried
    again; empty for any other error."""
    if isinstance(error, ChangeError):
        return error.unregistered
    if not isinstance(error, ArmError) or error.fault.code != "MissingSubscriptionRegistration":
        return ""
    found = _NAMESPACE.search(error.fault.message)
    return found[1] if found else ""


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
