"""ARM's routes and the checks of every request (PROTOCOL.md sections 3 and 4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from stacktui.stamp.arm.bearer_auth import BearerAuth
from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.manager import READ_SUBSCRIPTION, Parts, ResourceManager
from stacktui.stamp.arm.operator import READ_ALERTS, READ_UPDATES
from stacktui.stamp.arm.versions import Family, require_version
from stacktui.stamp.messages import Request, Response

Method = Callable[[ResourceManager, Request, Parts], Response]


@dataclass(frozen=True, slots=True)
class ArmRoute:
    """One method on one path; paths are case-insensitive."""

    verb: str
    pattern: re.Pattern[str]
    family: Family
    method: Method
    action: str
    """RBAC action to authorize, with placeholders for the path's parts; empty for none."""


_SUBSCRIPTION = "/subscriptions/(?P<subscription>[^/]+)"
_LOCATIONS = _SUBSCRIPTION + "/locations"
_PROVIDERS = _SUBSCRIPTION + "/providers"
_PROVIDER = _PROVIDERS + "/(?P<namespace>[^/]+)"
_REGISTER = _PROVIDER + "/register"
_ASSIGNMENTS = _PROVIDERS + "/microsoft.authorization/roleassignments"
_GROUP_LIST = _SUBSCRIPTION + "/resourcegroups"
_GROUP = _GROUP_LIST + "/(?P<group>[^/]+)"
_RESOURCES = _SUBSCRIPTION + "/resources"
_OPERATION = _SUBSCRIPTION + "/operationresults/(?P<operation>[^/]+)"
_SYSTEM = _SUBSCRIPTION + r"/resourcegroups/(?P<group>System\.[^/]+)/providers"
_UPDATE_LOCATION = _SYSTEM + "/microsoft.update.admin/updatelocations/[^/]+"
_UPDATE_RUNS = _UPDATE_LOCATION + "/updates/[^/]+/updateruns"
_ALERTS = _SYSTEM + "/microsoft.infrastructureinsights.admin/regionhealths/[^/]+/alerts"
_RM = ResourceManager
_READ = "Microsoft.Resources/subscriptions"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_READ_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments/read"

_TABLE: tuple[tuple[str, str, Family, Method, str], ...] = (
    ("GET", "/tenants", Family.SUBSCRIPTIONS, _RM.tenants, ""),
    ("GET", "/subscriptions", Family.SUBSCRIPTIONS, _RM.subscriptions, ""),
    ("GET", _SUBSCRIPTION, Family.SUBSCRIPTIONS, _RM.subscription, READ_SUBSCRIPTION),
    ("GET", _LOCATIONS, Family.SUBSCRIPTIONS, _RM.locations, f"{_READ}/locations/read"),
    ("GET", _PROVIDERS, Family.RESOURCES, _RM.providers, f"{_READ}/providers/read"),
    ("GET", _ASSIGNMENTS, Family.AUTHORIZATION, _RM.role_assignments, _READ_ASSIGNMENTS),
    ("GET", _PROVIDER, Family.RESOURCES, _RM.provider, f"{_READ}/providers/read"),
    ("POST", _REGISTER, Family.RESOURCES, _RM.register, "{namespace}/register/action"),
    ("GET", _GROUP_LIST, Family.RESOURCES, _RM.list_groups, f"{_GROUPS}/read"),
    ("GET", _GROUP, Family.RESOURCES, _RM.get_group, f"{_GROUPS}/read"),
    ("HEAD", _GROUP, Family.RESOURCES, _RM.head_group, f"{_GROUPS}/read"),
    ("PUT", _GROUP, Family.RESOURCES, _RM.put_group, f"{_GROUPS}/write"),
    ("DELETE", _GROUP, Family.RESOURCES, _RM.delete_group, f"{_GROUPS}/delete"),
    ("GET", _GROUP + "/resources", Family.RESOURCES, _RM.resources, f"{_READ}/resources/read"),
    ("GET", _RESOURCES, Family.RESOURCES, _RM.resources, f"{_READ}/resources/read"),
    ("GET", _UPDATE_LOCATION, Family.UPDATE, _RM.update_location, READ_UPDATES),
    ("GET", _UPDATE_LOCATION + "/updates", Family.UPDATE, _RM.updates, READ_UPDATES),
    ("GET", _UPDATE_RUNS, Family.UPDATE, _RM.update_runs, READ_UPDATES),
    ("GET", _ALERTS, Family.HEALTH, _RM.alerts, READ_ALERTS),
    ("GET", _OPERATION, Family.RESOURCES, _RM.operation, f"{_GROUPS}/read"),
)

ROUTES = tuple(
    ArmRoute(verb, re.compile(pattern, re.IGNORECASE), family, method, action)
    for verb, pattern, family, method, action in _TABLE
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
        require_version(route.family, build, version, region)
        if route.action:
            self.manager.authorize(caller, parts, route.action.format(**parts))
        return route.method(self.manager, request, parts)

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
    for route in ROUTES:
        match = route.pattern.fullmatch(request.path)
        if match is None:
            continue
        if route.verb == request.method:
            return route, match.groupdict()
        verbs.add(route.verb)
    if verbs:
        allow = {"Allow": ", ".join(sorted(verbs))}
        raise CloudError(Code.METHOD, allow, method=request.method)
    raise CloudError(Code.NOT_FOUND, path=request.path[:200])
