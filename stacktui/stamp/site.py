"""The whole stamp behind its sockets: which role answers a request, and what a fault does to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from stacktui.stamp import imds, metadata
from stacktui.stamp.answers import Facts
from stacktui.stamp.arm.routes import Arm
from stacktui.stamp.directory import Directory
from stacktui.stamp.fault import Area, Fault
from stacktui.stamp.hosts import Hosts, Role
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request, Response, html_page
from stacktui.stamp.signin import discovery, grants, pages
from stacktui.stamp.signin.refusals import RefusedError, render
from stacktui.stamp.signin.service import TokenService

_TENANT = "/(?P<part>[^/]+)"
_CONFIG = "/.well-known/openid-configuration"

SignIn = Callable[..., Response]

ENTRA_ROUTES: tuple[tuple[str, str, Area, SignIn], ...] = (
    ("POST", f"{_TENANT}/oauth2(?:/v2.0)?/token", Area.TOKEN, grants.token),
    ("POST", f"{_TENANT}/oauth2(?:/v2.0)?/devicecode", Area.DEVICE_CODE, pages.device_code),
    ("GET", f"{_TENANT}(?:/v2.0)?{_CONFIG}", Area.DISCOVERY, discovery.openid_configuration),
    ("GET", f"{_TENANT}/discovery(?:/v2.0)?/keys", Area.DISCOVERY, discovery.keys),
    ("GET", "/common/userrealm/(?P<part>[^/]+)", Area.DISCOVERY, discovery.user_realm),
    ("GET", "/common/discovery/instance", Area.DISCOVERY, discovery.instance_discovery),
    ("GET", "/devicelogin", Area.PAGES, pages.show_device_page),
    ("POST", "/devicelogin", Area.PAGES, pages.submit_device_page),
)

ADFS_ROUTES: tuple[tuple[str, str, Area, SignIn], ...] = (
    ("POST", "/(?P<part>adfs)/oauth2/token/?", Area.TOKEN, grants.token),
    ("POST", "/(?P<part>adfs)/oauth2/devicecode/?", Area.DEVICE_CODE, pages.device_code),
    ("GET", f"/(?P<part>adfs){_CONFIG}", Area.DISCOVERY, discovery.openid_configuration),
    ("GET", "/(?P<part>adfs)/discovery/keys", Area.DISCOVERY, discovery.keys),
    ("GET", "/adfs/oauth2/deviceauth/?", Area.PAGES, pages.show_device_page),
    ("POST", "/adfs/oauth2/deviceauth/?", Area.PAGES, pages.submit_device_page),
)

_ROUTES = {
    idp: tuple(
        (verb, re.compile(path, re.IGNORECASE), area, act) for verb, path, area, act in table
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
class Site:
    """Everything that answers. Neither method raises on any request."""

    hosts: Hosts
    handed: Directory
    """What metadata tells; the services may know otherwise (a fault's `knows`)."""
    tokens: TokenService
    arm: Arm
    fault: Fault
    _answered: Counter[Area] = field(default_factory=Counter)

    def answer(self, request: Request) -> Response:
        """The answer on the TLS port."""
        roles = self.hosts.roles(request.headers.get("host", ""))
        area, response = self._dispatch(request, roles)
        return self._changed(area, request, response)

    def answer_imds(self, request: Request) -> Response:
        """The answer on the port of the instance metadata service."""
        return self._changed(Area.IMDS, request, imds.answer(self.tokens, request))

    def _dispatch(self, request: Request, roles: frozenset[Role]) -> tuple[Area, Response]:
        if not roles:
            return Area.PAGES, BAD_HOST
        if Role.ARM in roles and request.path.lower() == metadata.PATH:
            return Area.METADATA, self._metadata(request)
        if Role.LOGIN in roles:
            found = self._sign_in(request)
            if found:
                return found
        if Role.ARM in roles:
            return self.arm.answer(request)
        if Role.PORTAL in roles and request.method in ("GET", "HEAD"):
            # A portal shows its page whatever the path: the mistake behind metadata-wrong-url.
            return Area.PAGES, PORTAL
        return Area.PAGES, NOT_FOUND

    def _metadata(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return WRONG_METHOD
        return metadata.answer(self.hosts, self.handed, self.arm.manager.build, request)

    def _sign_in(self, request: Request) -> tuple[Area, Response] | None:
        """The sign-in route's answer; None when no such path is the sign-in service's."""
        known = False
        for verb, pattern, area, act in _ROUTES[self.hosts.idp]:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            known = True
            if verb == request.method:
                return area, self._act(act, request, match.groupdict())
        return (Area.PAGES, WRONG_METHOD) if known else None

    def _act(self, act: SignIn, request: Request, parts: dict[str, str]) -> Response:
        try:
            return act(self.tokens, request, *parts.values())
        except RefusedError as refused:
            now = self.tokens.clock.now()
            return render(refused, self.hosts.idp, self.hosts.login_origin, now)

    def _changed(self, area: Area, request: Request, response: Response) -> Response:
        if self.fault.change is None or self.fault.at is not area:
            return response
        facts = Facts(
            self.hosts.arm,
            self.arm.manager.directory.subscription,
            self.tokens.clock.now().strftime("%Y%m%dT%H%M%SZ"),
            self._answered[area],
        )
        self._answered[area] += 1
        return self.fault.change(request, response, facts)
