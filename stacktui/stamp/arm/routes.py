"""ARM's routes and the checks of every request (PROTOCOL.md sections 3 and 4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from stacktui.stamp.arm import (
    compute,
    deployments,
    groups,
    locks,
    operations,
    providers,
    resources,
    roles,
    subscriptions,
    tags,
)
from stacktui.stamp.arm.bearer_auth import BearerAuth
from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.manager import (
    READ_GROUPS,
    READ_SUBSCRIPTION,
    ArmRequest,
    Parts,
    ResourceManager,
)
from stacktui.stamp.arm.operator import (
    READ_ALERTS,
    READ_BACKUPS,
    READ_FABRIC,
    READ_HEALTH,
    READ_SERVICES,
    READ_SUBSCRIPTIONS,
    READ_UPDATES,
    OperatorApi,
)
from stacktui.stamp.arm.versions import Family, require_version
from stacktui.stamp.messages import Request, Response

Handler = Callable[[ResourceManager, ArmRequest], Response]


@dataclass(frozen=True, slots=True)
class ArmRoute:
    """One method on one path; paths are case-insensitive."""

    verb: str
    pattern: re.Pattern[str]
    family: Family | None
    """None for a handler that checks the api-version itself, or takes any."""
    handler: Handler
    action: str
    """RBAC action to authorize, with placeholders for the path's parts; empty for none."""


def _operator(method: Callable[[OperatorApi, Request], Response]) -> Handler:
    return lambda arm, asked: method(arm.operator, asked.request)


def _admin_subscriptions(arm: ResourceManager, asked: ArmRequest) -> Response:
    return arm.operator.admin_subscriptions(asked.request, arm.directory.subscriptions)


_SUB = "/subscriptions/(?P<subscription>[^/]+)"
_LIST = _SUB + "/resourcegroups"
_GROUP = _LIST + "/(?P<group>[^/]+)"
_RESOURCE = "/providers/(?!microsoft.authorization/)[^/]+/[^/]+/[^/]+"
_SCOPE = f"{_SUB}(?:/resourcegroups/(?P<group>[^/]+)(?P<resource>{_RESOURCE})?)?"
_AUTH = _SCOPE + "/providers/microsoft.authorization"
_TAGS = f"{_GROUP}(?P<resource>{_RESOURCE})?/providers/microsoft.resources/tags/default"
_NAME = "/(?P<name>[^/]+)"
_LOCK = _AUTH + "/locks/(?P<lock>[^/]+)"
_DEPLOYMENTS = f"{_SUB}(?:/resourcegroups/(?P<group>[^/]+))?"
_DEPLOYMENTS += "/providers/microsoft.resources/deployments"
_PROVIDER = _SUB + "/providers/(?P<namespace>[^/]+)"
_TYPE = "/providers/(?P<namespace>[^/]+)/(?P<kind>[^/]+)"
_COMPUTE = _SUB + "/providers/microsoft.compute/locations/(?P<location>[^/]+)"
_OFFERED = _COMPUTE + "/publishers/(?P<publisher>[^/]+)/artifacttypes/vmimage/offers"
_SKUS = _OFFERED + "/(?P<offer>[^/]+)/skus"
_VERSIONS = _SKUS + "/(?P<sku>[^/]+)/versions"
_ITEM = f"{_GROUP}(?P<resource>{_TYPE}{_NAME})"
_RESULT = "/operationresults/(?P<operation>[^/]+)"
_SYSTEM = _SUB + r"/resourcegroups/(?P<group>System\.[^/]+)/providers"
_UPDATES = _SYSTEM + "/microsoft.update.admin/updatelocations"
_UPDATE = _UPDATES + "/[^/]+"
_HEALTHS = _SYSTEM + "/microsoft.infrastructureinsights.admin/regionhealths"
_HEALTH = _HEALTHS + "/[^/]+"
_FABRIC = _SYSTEM + "/microsoft.fabric.admin/fabriclocations/[^/]+"
_FABRIC += "/(?:scaleunits|scaleunitnodes|infraroles)"
_BACKUPS = _SYSTEM + "/microsoft.backup.admin/backuplocations"
_ADMIN = _SUB + "/providers/microsoft.subscriptions.admin/subscriptions"

_S = "Microsoft.Resources/subscriptions"
_G = "Microsoft.Resources/subscriptions/resourceGroups"
_A = "Microsoft.Authorization"
_C = "Microsoft.Compute/locations"
_D = "Microsoft.Resources/deployments"
_RES, _SUBS, _RBAC, _CMP = (
    Family.RESOURCES, Family.SUBSCRIPTIONS, Family.AUTHORIZATION, Family.COMPUTE,
)  # fmt: skip
_OP = OperatorApi

_TABLE: tuple[tuple[str, str, Family | None, Handler, str], ...] = (
    ("GET", "/tenants", _SUBS, subscriptions.tenants, ""),
    ("GET", "/subscriptions", _SUBS, subscriptions.list_subscriptions, ""),
    ("GET", "/offers", Family.OFFERS, subscriptions.offers, ""),
    ("GET", _SUB, _SUBS, subscriptions.get_subscription, READ_SUBSCRIPTION),
    ("GET", _SUB + "/locations", _SUBS, subscriptions.locations, f"{_S}/locations/read"),
    ("GET", _SUB + "/providers", _RES, providers.list_providers, f"{_S}/providers/read"),
    ("GET", _PROVIDER, _RES, providers.get_provider, f"{_S}/providers/read"),
    ("POST", _PROVIDER + "/register", _RES, providers.register, "{namespace}/register/action"),
    ("GET", _LIST, _RES, groups.list_groups, READ_GROUPS),
    ("GET", _GROUP, _RES, groups.get_group, READ_GROUPS),
    ("HEAD", _GROUP, _RES, groups.head_group, READ_GROUPS),
    ("PUT", _GROUP, _RES, groups.put_group, f"{_G}/write"),
    ("PATCH", _GROUP, _RES, groups.patch_group, f"{_G}/write"),
    ("DELETE", _GROUP, _RES, groups.delete_group, f"{_G}/delete"),
    ("GET", _SUB + _RESULT, None, operations.operation_result, ""),
    ("GET", _SUB + "/resources", _RES, resources.list_resources, f"{_S}/resources/read"),
    ("GET", _GROUP + "/resources", _RES, resources.list_resources, f"{_G}/resources/read"),
    ("GET", _SUB + "/tagnames", _RES, tags.tag_names, f"{_S}/tagNames/read"),
    ("GET", _TAGS, Family.TAGS, tags.get_tags, "Microsoft.Resources/tags/read"),
    ("PUT", _TAGS, Family.TAGS, tags.put_tags, "Microsoft.Resources/tags/write"),
    ("PATCH", _TAGS, Family.TAGS, tags.patch_tags, "Microsoft.Resources/tags/write"),
    ("DELETE", _TAGS, Family.TAGS, tags.delete_tags, "Microsoft.Resources/tags/delete"),
    ("GET", _DEPLOYMENTS, _RES, deployments.list_deployments, f"{_D}/read"),
    ("GET", _DEPLOYMENTS + "/(?P<deployment>[^/]+)", _RES, deployments.get_deployment,
     f"{_D}/read"),
    ("GET", _AUTH + "/locks", Family.LOCKS, locks.list_locks, f"{_A}/locks/read"),
    ("GET", _LOCK, Family.LOCKS, locks.get_lock, f"{_A}/locks/read"),
    ("PUT", _LOCK, Family.LOCKS, locks.put_lock, f"{_A}/locks/write"),
    ("DELETE", _LOCK, Family.LOCKS, locks.delete_lock, f"{_A}/locks/delete"),
    ("GET", _AUTH + "/roledefinitions", Family.ROLE_DEFINITIONS, roles.list_definitions,
     f"{_A}/roleDefinitions/read"),
    ("GET", _AUTH + "/roledefinitions" + _NAME, Family.ROLE_DEFINITIONS, roles.get_definition,
     f"{_A}/roleDefinitions/read"),
    ("GET", _AUTH + "/roleassignments", _RBAC, roles.list_assignments,
     f"{_A}/roleAssignments/read"),
    ("GET", _AUTH + "/roleassignments" + _NAME, _RBAC, roles.get_assignment,
     f"{_A}/roleAssignments/read"),
    ("PUT", _AUTH + "/roleassignments" + _NAME, _RBAC, roles.put_assignment,
     f"{_A}/roleAssignments/write"),
    ("DELETE", _AUTH + "/roleassignments" + _NAME, _RBAC, roles.delete_assignment,
     f"{_A}/roleAssignments/delete"),
    ("GET", _AUTH + "/permissions", _RBAC, roles.permissions, ""),
    ("GET", _COMPUTE + "/publishers", _CMP, compute.publishers, f"{_C}/publishers/read"),
    ("GET", _OFFERED, _CMP, compute.offers, f"{_C}/publishers/read"),
    ("GET", _SKUS, _CMP, compute.skus, f"{_C}/publishers/read"),
    ("GET", _VERSIONS, _CMP, compute.image_versions, f"{_C}/publishers/read"),
    ("GET", _VERSIONS + "/(?P<version>[^/]+)", _CMP, compute.image_version,
     f"{_C}/publishers/read"),
    ("GET", _COMPUTE + "/vmsizes", _CMP, compute.sizes, f"{_C}/vmSizes/read"),
    ("GET", _COMPUTE + "/usages", _CMP, compute.usages, f"{_C}/usages/read"),
    ("GET", _COMPUTE + "/operations/(?P<operation>[^/]+)", None, operations.operation_status, ""),
    ("GET", _COMPUTE + _RESULT, None, operations.refuse_get, ""),
    ("GET", _UPDATES, Family.UPDATE, _operator(_OP.update_locations), READ_UPDATES),
    ("GET", _UPDATE, Family.UPDATE, _operator(_OP.update_location), READ_UPDATES),
    ("GET", _UPDATE + "/updates", Family.UPDATE, _operator(_OP.updates), READ_UPDATES),
    ("GET", _UPDATE + "/updates/[^/]+/updateruns", Family.UPDATE, _operator(_OP.update_runs),
     READ_UPDATES),
    ("GET", _HEALTHS, Family.HEALTH, _operator(_OP.region_healths), READ_HEALTH),
    ("GET", _HEALTH, Family.HEALTH, _operator(_OP.region_health), READ_HEALTH),
    ("GET", _HEALTH + "/alerts", Family.HEALTH, _operator(_OP.alerts), READ_ALERTS),
    ("GET", _HEALTH + "/servicehealths", Family.HEALTH, _operator(_OP.service_healths),
     READ_SERVICES),
    ("GET", _FABRIC, Family.FABRIC, _operator(_OP.fabric), READ_FABRIC),
    ("GET", _BACKUPS, Family.BACKUP, _operator(_OP.backup_locations), READ_BACKUPS),
    ("GET", _ADMIN, Family.ADMIN_SUBSCRIPTIONS, _admin_subscriptions, READ_SUBSCRIPTIONS),
    ("GET", _SUB + _TYPE, None, resources.list_of_type, "{namespace}/{kind}/read"),
    ("GET", _GROUP + _TYPE, None, resources.list_of_type, "{namespace}/{kind}/read"),
    ("GET", _ITEM, None, resources.get_resource, "{namespace}/{kind}/read"),
    ("PUT", _ITEM, None, resources.put_resource, "{namespace}/{kind}/write"),
    ("PATCH", _ITEM, None, resources.patch_resource, "{namespace}/{kind}/write"),
    ("DELETE", _ITEM, None, resources.delete_resource, "{namespace}/{kind}/delete"),
)  # fmt: skip
"""Verb, path, family, handler, action; the first match counts, the resources of any type last."""

ROUTES = tuple(
    ArmRoute(verb, re.compile(pattern, re.IGNORECASE), family, handler, action)
    for verb, pattern, family, handler, action in _TABLE
)


@dataclass(frozen=True, slots=True)
class ArmRouter:
    """Finds the route, checks api-version and token, and adds the request ids."""

    manager: ResourceManager
    bearer_auth: BearerAuth

    def respond(self, request: Request) -> tuple[ArmRoute | None, Response]:
        """Return the route, None when there is none, and the response; errors in ARM's form."""
        route = None
        try:
            route, parts = _find(request)
            response = self._dispatch(route, request, parts)
        except CloudError as error:
            response = error.response()
        return route, response.with_headers(**self._request_ids(request))

    def _dispatch(self, route: ArmRoute, request: Request, parts: Parts) -> Response:
        """Run the handler. ARM checks that there is an api-version before the token."""
        version = request.query.get("api-version")
        if not version:
            raise CloudError(Code.API_VERSION_MISSING)
        caller = self.bearer_auth.authenticate(request.headers)
        region, build = self.manager.hosts.region, self.manager.build
        if route.family:
            require_version(route.family, build, version, region)
        subscription = parts.get("subscription")
        found = self.manager.contents(subscription) if subscription else None
        asked = ArmRequest(request, parts, caller, found)
        if route.action:
            self.manager.authorize(asked, route.action.format(**parts))
        return route.handler(self.manager, asked)

    def _request_ids(self, request: Request) -> dict[str, str]:
        """Return the request id headers; the correlation id is the client's when it sends one."""
        request_id = str(uuid4())
        correlation = _echoed(request, "x-ms-correlation-request-id") or request_id
        now = self.bearer_auth.clock.now()
        routing = f"{self.manager.hosts.region.upper()}:{now:%Y%m%dT%H%M%SZ}:{uuid4()}"
        ids = {
            "x_ms_request_id": request_id,
            "x_ms_correlation_request_id": correlation,
            "x_ms_routing_request_id": routing,
            "Cache_Control": "no-cache",
        }
        client = _echoed(request, "x-ms-client-request-id")
        if client and _echoed(request, "x-ms-return-client-request-id").lower() == "true":
            ids["x_ms_client_request_id"] = client
        return ids


def _echoed(request: Request, name: str) -> str:
    """Return a header to echo; empty unless it is printable ASCII of at most 128 characters."""
    value = request.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= 128 else ""


def _find(request: Request) -> tuple[ArmRoute, dict[str, str]]:
    verbs = set()
    # az doubles a slash where a resource has no parent, and ends some lists in one.
    path = re.sub("/+", "/", request.path).rstrip("/")
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is None:
            continue
        if route.verb == request.method:
            return route, match.groupdict()
        verbs.add(route.verb)
    if verbs:
        allow = {"Allow": ", ".join(sorted(verbs))}
        raise CloudError(Code.METHOD, allow, method=request.method)
    raise CloudError(Code.NOT_FOUND, path=request.path[:200])
