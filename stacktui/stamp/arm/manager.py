"""The Resource Manager itself: state, and one method a request that it answers.

Every method gets the request and the named parts of its path, after the caller was authorized,
and returns a Response or raises CloudError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from stacktui.stamp.arm.bearer_auth import Caller
from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.groups import GroupStore, decode_skip_token, encode_skip_token
from stacktui.stamp.arm.operator import OperatorApi
from stacktui.stamp.arm.versions import Family, supported
from stacktui.stamp.directory import Directory, SubscriptionState
from stacktui.stamp.hosts import Hosts
from stacktui.stamp.messages import Request, Response, json_response

READ_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"
"""The only action that a disabled subscription allows."""

Parts = Mapping[str, str]
POLL_SECONDS = "1"
"""`Retry-After` while a group is being deleted."""

PROVIDERS: dict[str, tuple[str, ...]] = {
    "Microsoft.Authorization": ("roleAssignments", "roleDefinitions", "locks"),
    "Microsoft.Compute": ("virtualMachines", "availabilitySets", "disks"),
    "Microsoft.KeyVault": ("vaults",),
    "Microsoft.Network": ("virtualNetworks", "loadBalancers", "publicIPAddresses"),
    "Microsoft.Resources": ("deployments", "resourceGroups", "tags"),
    "Microsoft.Storage": ("storageAccounts",),
    "Microsoft.Subscriptions": ("subscriptions", "locations"),
    "Microsoft.Web": ("sites", "serverFarms"),
}
VERSIONED = {
    "Microsoft.Authorization": Family.AUTHORIZATION,
    "Microsoft.Resources": Family.RESOURCES,
    "Microsoft.Subscriptions": Family.SUBSCRIPTIONS,
}
INITIALLY_UNREGISTERED = frozenset({"Microsoft.Web"})

_TAG_FILTER = re.compile(r"tagname eq '([^']*)'(?: and tagvalue eq '([^']*)')?", re.IGNORECASE)
_TYPE_FILTER = re.compile(r"resourcetype eq '([^']*)'", re.IGNORECASE)
_PRINCIPAL_FILTER = re.compile(
    r"(?:assignedto\('([^']*)'\)|principalid eq '([^']*)'|(atscope\(\)))", re.IGNORECASE
)


@dataclass(slots=True)
class ResourceManager:
    """ARM for one subscription."""

    hosts: Hosts
    directory: Directory
    groups: GroupStore
    build: str
    page_size: int
    operator: OperatorApi
    denied_actions: frozenset[str] = frozenset()
    unregistered: set[str] = field(default_factory=lambda: set(INITIALLY_UNREGISTERED))

    def authorize(self, caller: Caller, parts: Parts, action: str) -> None:
        """Check that the subscription exists and is enabled, and that the caller has the right."""
        given = parts["subscription"]
        try:
            UUID(given)
        except ValueError:
            raise CloudError(Code.SUBSCRIPTION_ID, id=given) from None
        state = self.directory.subscription_state
        if given.lower() != self.directory.subscription or state is None:
            raise CloudError(Code.SUBSCRIPTION_NOT_FOUND, id=given)
        if state is SubscriptionState.DISABLED and action != READ_SUBSCRIPTION:
            raise CloudError(Code.SUBSCRIPTION_DISABLED, id=given)
        role = self.directory.role_of(caller.object_id)
        reads = action.endswith("/read")
        if role is None or action in self.denied_actions or not (reads or role.writes):
            group = f"/resourceGroups/{parts['group']}" if "group" in parts else ""
            raise CloudError(
                Code.AUTHORIZATION_FAILED,
                client=caller.name,
                object_id=caller.object_id,
                action=action,
                scope=self._scope + group,
            )

    # Tenants and subscriptions

    def tenants(self, request: Request, parts: Parts) -> Response:
        tenant = self.directory.tenant
        return _values([{"id": f"/tenants/{tenant}", "tenantId": tenant}])

    def subscriptions(self, request: Request, parts: Parts) -> Response:
        present = self.directory.subscription_state is not None
        return _values([self._subscription()] if present else [])

    def subscription(self, request: Request, parts: Parts) -> Response:
        return json_response(200, self._subscription())

    def locations(self, request: Request, parts: Parts) -> Response:
        name = self.hosts.region
        document = {
            "id": f"{self._scope}/locations/{name}",
            "name": name,
            "displayName": name,
            "latitude": "47.64",
            "longitude": "-122.13",
        }
        return _values([document])

    # Providers

    def providers(self, request: Request, parts: Parts) -> Response:
        return _values([self._provider(namespace) for namespace in PROVIDERS])

    def provider(self, request: Request, parts: Parts) -> Response:
        return json_response(200, self._provider(_namespace(parts["namespace"])))

    def register(self, request: Request, parts: Parts) -> Response:
        namespace = _namespace(parts["namespace"])
        self.unregistered.discard(namespace)
        return json_response(200, self._provider(namespace))

    # What operators read

    def update_location(self, request: Request, parts: Parts) -> Response:
        return self.operator.update_location(request)

    def updates(self, request: Request, parts: Parts) -> Response:
        return self.operator.updates(request)

    def update_runs(self, request: Request, parts: Parts) -> Response:
        return self.operator.update_runs(request)

    def alerts(self, request: Request, parts: Parts) -> Response:
        return self.operator.alerts(request)

    # Resource groups

    def list_groups(self, request: Request, parts: Parts) -> Response:
        """Return a page, with an absolute nextLink while there are more."""
        found = self.groups.all()
        match = _filter(_TAG_FILTER, request)
        if match:
            name, value = match[1], match[2]
            found = [g for g in found if name in g.tags and value in (None, g.tags[name])]
        start, size = self._page(request)
        document: dict[str, Any] = {
            "value": [self.groups.document(group) for group in found[start : start + size]]
        }
        if start + size < len(found):
            document["nextLink"] = self._next_link(request, start + size)
        return json_response(200, document)

    def get_group(self, request: Request, parts: Parts) -> Response:
        return json_response(200, self.groups.document(self.groups.get(parts["group"])))

    def head_group(self, request: Request, parts: Parts) -> Response:
        """Return 204 when the group exists, 404 without a body when it does not."""
        try:
            self.groups.get(parts["group"])
        except CloudError:
            return Response(404)
        return Response(204)

    def put_group(self, request: Request, parts: Parts) -> Response:
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            raise CloudError(Code.CONTENT, reason="The body is not JSON") from None
        group, created = self.groups.put(parts["group"], body)
        return json_response(201 if created else 200, self.groups.document(group))

    def delete_group(self, request: Request, parts: Parts) -> Response:
        """Return 202 with a Location to poll."""
        operation = self.groups.delete(parts["group"])
        return self._accepted(operation, request)

    def operation(self, request: Request, parts: Parts) -> Response:
        """Return 202 until the operation is done, then 200."""
        match self.groups.operation_done(parts["operation"]):
            case None:
                raise CloudError(Code.NOT_FOUND, path=request.path)
            case True:
                return Response(200)
            case False:
                return self._accepted(parts["operation"], request)

    def resources(self, request: Request, parts: Parts) -> Response:
        """Return the resources of the subscription or of one group."""
        name = parts.get("group")
        groups = [self.groups.get(name)] if name else self.groups.all()
        found = [resource for group in groups for resource in self.groups.resources(group)]
        match = _filter(_TYPE_FILTER, request)
        if match:
            kind = match[1].lower()
            found = [resource for resource in found if str(resource["type"]).lower() == kind]
        return _values(found)

    def role_assignments(self, request: Request, parts: Parts) -> Response:
        """Return assignments at subscription scope; `assignedTo('oid')` selects one principal."""
        match = _filter(_PRINCIPAL_FILTER, request)
        principals = list(self.directory.roles())
        if match and not match[3]:
            principals = [p for p in principals if p == (match[1] or match[2]).lower()]
        return _values([self._assignment(principal) for principal in principals])

    # Helpers

    @property
    def _scope(self) -> str:
        return f"/subscriptions/{self.directory.subscription}"

    def _subscription(self) -> dict[str, object]:
        state = self.directory.subscription_state or SubscriptionState.DISABLED
        return {
            "id": self._scope,
            "subscriptionId": self.directory.subscription,
            "tenantId": self.directory.tenant,
            "displayName": "Contoso Production",
            "state": state.value,
            "subscriptionPolicies": {
                "locationPlacementId": "AzureStack",
                "quotaId": "AzureStack_2014-09-01",
                "spendingLimit": "Off",
            },
            "authorizationSource": "RoleBased",
        }

    def _provider(self, namespace: str) -> dict[str, object]:
        registered = namespace not in self.unregistered
        return {
            "id": f"{self._scope}/providers/{namespace}",
            "namespace": namespace,
            "registrationState": "Registered" if registered else "NotRegistered",
            "resourceTypes": [
                {
                    "resourceType": kind,
                    "locations": [self.hosts.region],
                    "apiVersions": list(reversed(self._versions(namespace))),
                }
                for kind in PROVIDERS[namespace]
            ],
        }

    def _versions(self, namespace: str) -> tuple[str, ...]:
        """Return the api-versions of a namespace; none for one that is listed but not served."""
        family = VERSIONED.get(namespace)
        return supported(family, self.build) if family else ()

    def _assignment(self, principal: str) -> dict[str, object]:
        role = self.directory.role_of(principal)
        definition = role.definition_id if role else ""
        name = str(uuid5(UUID(self.directory.subscription), principal))
        base = f"{self._scope}/providers/Microsoft.Authorization"
        return {
            "id": f"{base}/roleAssignments/{name}",
            "name": name,
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "roleDefinitionId": f"{base}/roleDefinitions/{definition}",
                "principalId": principal,
                "scope": self._scope,
            },
        }

    def _page(self, request: Request) -> tuple[int, int]:
        """Return start and size of the requested page."""
        token, top = request.query.get("$skiptoken"), request.query.get("$top")
        if top is not None and not re.fullmatch(r"[1-9][0-9]{0,3}", top):
            raise CloudError(Code.TOP, top=top)
        size = min(int(top), self.page_size) if top else self.page_size
        return (decode_skip_token(token) if token else 0), size

    def _next_link(self, request: Request, offset: int) -> str:
        kept = {name: value for name, value in request.query.items() if name != "$skiptoken"}
        kept["$skiptoken"] = encode_skip_token(offset)
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in kept.items())
        return f"{self.hosts.arm}{quote(request.path)}?{query}"

    def _accepted(self, operation: str, request: Request) -> Response:
        version = request.query["api-version"]
        location = f"{self.hosts.arm}{self._scope}/operationresults/{operation}"
        headers = {"Location": f"{location}?api-version={version}", "Retry-After": POLL_SECONDS}
        return Response(202, headers=headers)


def _values(documents: Sequence[Mapping[str, object]]) -> Response:
    return json_response(200, {"value": documents})


def _namespace(name: str) -> str:
    """Return a provider's namespace in its own case; CloudError when there is none."""
    for namespace in PROVIDERS:
        if namespace.lower() == name.lower():
            return namespace
    raise CloudError(Code.NAMESPACE_INVALID, namespace=name)


def _filter(pattern: re.Pattern[str], request: Request) -> re.Match[str] | None:
    """Match the request's `$filter` against the one supported form; None without a filter."""
    text = request.query.get("$filter")
    if not text:
        return None
    match = pattern.fullmatch(text.strip())
    if match is None:
        raise CloudError(Code.FILTER, filter=text[:200])
    return match
