"""The HTTP router: selects the service for a request, and applies the fault to its response."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from stacktui.stamp import alias_document, imds, metadata
from stacktui.stamp.arm.groups import list_groups
from stacktui.stamp.arm.machine_identity import machine_identities
from stacktui.stamp.arm.routes import ArmRouter
from stacktui.stamp.directory import Directory
from stacktui.stamp.faults.model import Fault, FaultyEndpoint
from stacktui.stamp.faults.overrides import OverrideContext
from stacktui.stamp.hosts import HostRole, Hosts
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request, Response, html_page
from stacktui.stamp.oauth_errors import OAuthError, render
from stacktui.stamp.signin import device_flow, discovery, grants
from stacktui.stamp.signin.service import TokenService

_TENANT = "/(?P<part>[^/]+)"
_CONFIG = "/.well-known/openid-configuration"

SignInHandler = Callable[..., Response]


def _compiled(
    *routes: tuple[str, str, SignInHandler],
) -> tuple[tuple[str, re.Pattern[str], SignInHandler], ...]:
    return tuple((verb, re.compile(path, re.IGNORECASE), handler) for verb, path, handler in routes)


SIGN_IN_ROUTES = {
    IdentityProvider.AAD: _compiled(
        ("POST", f"{_TENANT}/oauth2(?:/v2.0)?/token", grants.token),
        ("POST", f"{_TENANT}/oauth2(?:/v2.0)?/devicecode", device_flow.device_code),
        ("GET", f"{_TENANT}(?:/v2.0)?{_CONFIG}", discovery.openid_configuration),
        ("GET", f"{_TENANT}/discovery(?:/v2.0)?/keys", discovery.keys),
        ("GET", "/common/userrealm/(?P<part>[^/]+)", discovery.user_realm),
        ("GET", "/common/discovery/instance", discovery.instance_discovery),
        ("GET", "/devicelogin", device_flow.show_device_page),
        ("POST", "/devicelogin", device_flow.submit_device_page),
    ),
    IdentityProvider.ADFS: _compiled(
        ("POST", "/(?P<part>adfs)/oauth2/token/?", grants.token),
        ("POST", "/(?P<part>adfs)/oauth2/devicecode/?", device_flow.device_code),
        ("GET", f"/(?P<part>adfs){_CONFIG}", discovery.openid_configuration),
        ("GET", "/(?P<part>adfs)/discovery/keys", discovery.keys),
        ("GET", "/adfs/oauth2/deviceauth/?", device_flow.show_device_page),
        ("POST", "/adfs/oauth2/deviceauth/?", device_flow.submit_device_page),
    ),
}
"""Verb, path and handler; a path's named part (tenant or user) is passed to the handler."""

NOT_FOUND = html_page(404, "404 - Not Found", "<h1>404 - File or directory not found.</h1>")
WRONG_METHOD = html_page(405, "405 - Not Allowed", "<h1>405 - HTTP verb not allowed.</h1>")
BAD_HOST = html_page(400, "Bad Request", "<h2>Bad Request - Invalid Hostname</h2>")
PORTAL = html_page(200, "Microsoft Azure Stack", "<h1>Microsoft Azure Stack</h1>")


@dataclass(frozen=True, slots=True)
class Router:
    """Routes requests by Host header and path. No request makes a method raise."""

    hosts: Hosts
    advertised: Directory
    """What metadata says; the services may know otherwise (`Fault.server_overrides`)."""
    tokens: TokenService
    arm: ArmRouter
    fault: Fault
    _request_counts: Counter[FaultyEndpoint] = field(default_factory=Counter)

    def respond(self, request: Request) -> Response:
        """Return the response on the TLS port."""
        roles = self.hosts.roles(request.headers.get("host", ""))
        if not roles:
            return BAD_HOST
        if HostRole.ARM in roles and request.path.lower() == metadata.PATH:
            return self._apply_fault(FaultyEndpoint.METADATA, request, self._metadata(request))
        if HostRole.PORTAL in roles and request.path == alias_document.PATH:
            return alias_document.respond()
        if HostRole.LOGIN in roles:
            response = self._sign_in(request)
            if response:
                return response
        if HostRole.ARM in roles:
            route, response = self.arm.respond(request)
            is_list = route is not None and route.handler is list_groups
            endpoint = FaultyEndpoint.GROUP_LIST if is_list else None
            return self._apply_fault(endpoint, request, response)
        if HostRole.PORTAL in roles and request.method in ("GET", "HEAD"):
            # A portal returns its page for any path, which is how metadata-wrong-url arises.
            return PORTAL
        return NOT_FOUND

    def respond_imds(self, request: Request) -> Response:
        """Return the response on the port of the instance metadata service."""
        response = imds.respond(self.tokens, machine_identities(self.arm.manager), request)
        return self._apply_fault(FaultyEndpoint.IMDS, request, response)

    def _metadata(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return WRONG_METHOD
        build, form = self.arm.manager.build, self.tokens.options.metadata_form
        return metadata.respond(self.hosts, self.advertised, build, request, form)

    def _sign_in(self, request: Request) -> Response | None:
        """Return the sign-in service's response; None when it has no such path."""
        response = None
        for verb, pattern, handler in SIGN_IN_ROUTES[self.hosts.idp]:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            if verb != request.method:
                response = WRONG_METHOD
                continue
            try:
                response = handler(self.tokens, request, *match.groups())
            except OAuthError as error:
                now = self.tokens.clock.now()
                response = render(error, self.hosts.idp, self.hosts.login_origin, now)
            endpoint = FaultyEndpoint.TOKEN if handler is grants.token else None
            return self._apply_fault(endpoint, request, response)
        return response

    def _apply_fault(
        self, endpoint: FaultyEndpoint | None, request: Request, response: Response
    ) -> Response:
        if endpoint is None or self.fault.override is None or self.fault.endpoint is not endpoint:
            return response
        context = OverrideContext(
            self.hosts.arm,
            self.arm.manager.directory.subscription,
            self.tokens.clock.now().strftime("%Y%m%dT%H%M%SZ"),
            self._request_counts[endpoint],
        )
        self._request_counts[endpoint] += 1
        return self.fault.override(request, response, context)
