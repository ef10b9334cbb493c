"""Resource providers: their types and api-versions, and their registration."""

from __future__ import annotations

import time

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.lists import values
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager, SubscriptionContents
from stacktui.stamp.arm.versions import PROVIDERS, supported
from stacktui.stamp.messages import Response, json_response

MANAGED_IDENTITY = "Microsoft.ManagedIdentity"


def list_providers(arm: ResourceManager, asked: ArmRequest) -> Response:
    names = [name for name in PROVIDERS if _is_listed(arm, name)]
    return values([_document(arm, asked.contents, name) for name in names])


def get_provider(arm: ResourceManager, asked: ArmRequest) -> Response:
    return json_response(200, _document(arm, asked.contents, _namespace(arm, asked)))


def register(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Start the registration; the answer is Registering, whatever time it takes."""
    namespace = _namespace(arm, asked)
    document = _document(arm, asked.contents, namespace)
    known = asked.contents.registered_at
    if namespace not in known:
        known[namespace] = time.monotonic() + arm.options.register_seconds
        document["registrationState"] = "Registering"
    return json_response(200, document)


def require_registered(arm: ResourceManager, asked: ArmRequest, namespace: str) -> None:
    """CloudError 404 for a provider that is not listed, 409 for one that is not registered."""
    known = _spelling(arm, namespace)
    if registration_state(asked.contents, known) != "Registered":
        raise CloudError(Code.UNREGISTERED, namespace=known)


def registration_state(contents: SubscriptionContents, namespace: str) -> str:
    done_at = contents.registered_at.get(namespace)
    if done_at is None:
        return "NotRegistered"
    return "Registered" if time.monotonic() >= done_at else "Registering"


def initially_registered(unregistered: tuple[str, ...]) -> dict[str, float]:
    """Return the registrations of a new subscription."""
    absent = {name.lower() for name in unregistered}
    return {name: 0.0 for name in PROVIDERS if name.lower() not in absent}


def lists_identities(arm: ResourceManager) -> bool:
    """Whether Microsoft.ManagedIdentity is there at all: no hybrid profile has it."""
    return arm.options.managed_identity or arm.hosts.is_public


def _is_listed(arm: ResourceManager, namespace: str) -> bool:
    return namespace != MANAGED_IDENTITY or lists_identities(arm)


def _namespace(arm: ResourceManager, asked: ArmRequest) -> str:
    return _spelling(arm, asked.parts["namespace"])


def _spelling(arm: ResourceManager, name: str) -> str:
    """Return a namespace in its own case; CloudError when there is none."""
    for namespace in PROVIDERS:
        if namespace.lower() == name.lower() and _is_listed(arm, namespace):
            return namespace
    raise CloudError(Code.NAMESPACE_INVALID, namespace=name)


def _document(
    arm: ResourceManager, contents: SubscriptionContents, namespace: str
) -> dict[str, object]:
    return {
        "id": f"{contents.path}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": registration_state(contents, namespace),
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {
                "resourceType": kind,
                "locations": list(arm.hosts.locations),
                "apiVersions": list(reversed(versions)),
            }
            for kind, family in PROVIDERS[namespace].items()
            if (versions := supported(family, arm.build))
        ],
    }
