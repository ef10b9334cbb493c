"""The whole stamp behind its sockets: which role answers a request, and what a fault does to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from stacktui.stamp import imds, metadata
from stacktui.stamp.arm.routes import ArmRouter
from stacktui.stamp.directory import Directory
from stacktui.stamp.faults.model import Fault, RouteGroup
from stacktui.stamp.faults.overrides import OverrideContext
from stacktui.stamp.hosts import HostRole, Hosts
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request, Response, html_page
from stacktui.stamp.signin import device_flow, discovery, grants
from stacktui.stamp.signin.oauth_errors import OAuthError, render
from stacktui.stamp.signin.service import TokenService

_TENANT = "/(?P<part>[^/]+)"
_CONFIG = "/.well-known/openid-configuration"

SignInHandler = Callable[..., Response]

ENTRA_ROUTES: tuple[tuple[str, str, RouteGroup, SignInHandler], ...] = (
    ("POST", f"{_TENANT}/oauth2(?:/v2.0)?/token", RouteGroup.TOKEN, grants.token),
    (
        "POST",
        f"{_TENANT}/oauth2(?:/v2.0)?/devicecode",
        RouteGroup.DEVICE_CODE,
        device_flow.device_code,
    ),
    ("GET", f"{_TENANT}(?:/v2.0)?{_CONFIG}", RouteGroup.DISCOVERY, discovery.openid_configuration),
    ("GET", f"{_TENANT}/discovery(?:/v2.0)?/keys", RouteGroup.DISCOVERY, discovery.keys),
    ("GET", "/common/userrealm/(?P<part>[^/]+)", RouteGroup.DISCOVERY, discovery.user_realm),
    ("GET", "/common/discovery/instance", RouteGroup.DISCOVERY, discovery.instance_discovery),
    ("GET", "/devicelogin", RouteGroup.PAGES, device_flow.show_device_page),
    ("POST", "/devicelogin", RouteGroup.PAGES, device_flow.submit_device_page),
)

ADFS_ROUTES: tuple[tuple[str, str, RouteGroup, SignInHandler], ...] = (
    ("POST", "/(?P<part>adfs)/oauth2/token/?", RouteGroup.TOKEN, grants.token),
    (
        "POST",
        "/(?P<part>adfs)/oauth2/devicecode/?",
        RouteGroup.DEVICE_CODE,
        device_flow.device_code,
    ),
    ("GET", f"/(?P<part>adfs){_CONFIG}", RouteGroup.DISCOVERY, discovery.openid_configuration),
    ("GET", "/(?P<part>adfs)/discovery/keys", RouteGroup.DISCOVERY, discovery.keys),
    ("GET", "/adfs/oauth2/deviceauth/?", RouteGroup.PAGES, device_flow.show_device_page),
    (
        "POST",
        "/adfs/oauth2/deviceauth/?",
        RouteGroup.PAGES,
        device_flow.submit_device_page,
    ),
)

_ROUTES = {
    idp: tuple(
        (verb, re.compile(path, re.IGNORECASE), routes, handler)
        for verb, path, routes, handler in table
    )
    for idp, table in (
        (IdentityProvider.AAD, ENTRA_ROUTES),
        (IdentityProvider.ADFS, ADFS_ROUTES),
    )
}

NOT_FOUND = html_page(404, "404 - Not Found", "<h1>404 - File or directory not found.</h1>")
WRONG_METHOD = html_page(405, "405 - Not Allowed", "<h1>405 - HTTP verb not allowed.</h1>")
BAD_HOST = html_page(400, "Bad Request", "<h2>Bad Request - Invalid Hostname</h2>")
PORTAL = html_page(200, "Microsoft Azure Stack", "<h1>Microsoft Azure Stack</h1>")


@dataclass(frozen=True, slots=True)
class Router:
    """Everything that answers. Neither method raises on any request."""

    hosts: Hosts
    advertised: Directory
    """What metadata tells; the services may know otherwise (a fault's `knows`)."""
    tokens: TokenService
    arm: ArmRouter
    fault: Fault
    _request_counts: Counter[RouteGroup] = field(default_factory=Counter)

    def respond(self, request: Request) -> Response:
        """The answer on the TLS port."""
        roles = self.hosts.roles(request.headers.get("host", ""))
        routes, response = self._dispatch(request, roles)
        return self._apply_fault(routes, request, response)

    def respond_imds(self, request: Request) -> Response:
        """The answer on the port of the instance metadata service."""
        return self._apply_fault(RouteGroup.IMDS, request, imds.respond(self.tokens, request))

    def _dispatch(
        self, request: Request, roles: frozenset[HostRole]
    ) -> tuple[RouteGroup, Response]:
        if not roles:
            return RouteGroup.PAGES, BAD_HOST
        if HostRole.ARM in roles and request.path.lower() == metadata.PATH:
            return RouteGroup.METADATA, self._metadata(request)
        if HostRole.LOGIN in roles:
            found = self._sign_in(request)
            if found:
                return found
        if HostRole.ARM in roles:
            return self.arm.respond(request)
        if HostRole.PORTAL in roles and request.method in ("GET", "HEAD"):
            # A portal shows its page whatever the path: the mistake behind metadata-wrong-url.
            return RouteGroup.PAGES, PORTAL
        return RouteGroup.PAGES, NOT_FOUND

    def _metadata(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return WRONG_METHOD
        return metadata.respond(self.hosts, self.advertised, self.arm.manager.build, request)

    def _sign_in(self, request: Request) -> tuple[RouteGroup, Response] | None:
        """The sign-in route's answer; None when no such path is the sign-in service's."""
        known = False
        for verb, pattern, routes, handler in _ROUTES[self.hosts.idp]:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            known = True
            if verb == request.method:
                return routes, self._call_handler(handler, request, match.groupdict())
        return (RouteGroup.PAGES, WRONG_METHOD) if known else None

    def _call_handler(
        self, handler: SignInHandler, request: Request, parts: dict[str, str]
    ) -> Response:
        try:
            return handler(self.tokens, request, *parts.values())
        except OAuthError as refused:
            now = self.tokens.clock.now()
            return render(refused, self.hosts.idp, self.hosts.login_origin, now)

    def _apply_fault(self, routes: RouteGroup, request: Request, response: Response) -> Response:
        if self.fault.override is None or self.fault.routes is not routes:
            return response
        context = OverrideContext(
            self.hosts.arm,
            self.arm.manager.directory.subscription,
            self.tokens.clock.now().strftime("%Y%m%dT%H%M%SZ"),
            self._request_counts[routes],
        )
        self._request_counts[routes] += 1
        return self.fault.override(request, response, context)
