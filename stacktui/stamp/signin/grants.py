"""The token endpoint: one function per grant (RFC 6749 section 4, RFC 8628 section 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stacktui.stamp.directory import AZURE_CLI_CLIENT_ID, User
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request, Response, json_response
from stacktui.stamp.oauth_errors import OAuthError, Reason
from stacktui.stamp.signin.credentials import authenticate_application, authenticate_user
from stacktui.stamp.signin.service import LIFETIME, TokenService

OIDC_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
MULTI_TENANT = frozenset({"common", "organizations"})
REFRESH_LIFETIME = 28799
"""Seconds, `refresh_token_expires_in` of AD FS."""

NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class RequestedScope:
    """The requested resource and all requested scopes."""

    resource: str | None
    suffix: str
    """Scope name after the resource: `.default`, `openid`, …; empty for `resource=`."""
    scopes: tuple[str, ...]

    @property
    def oidc(self) -> frozenset[str]:
        return OIDC_SCOPES.intersection(self.scopes)


def token(service: TokenService, request: Request, tenant: str) -> Response:
    """Respond to a token request at `/<tenant>/oauth2/…`; OAuthError when it is refused."""
    if service.error:
        raise OAuthError(service.error)
    form = request.form()
    grant_type = form.get("grant_type")
    if not grant_type:
        raise OAuthError(Reason.PARAMETER_MISSING, "grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise OAuthError(Reason.GRANT_UNSUPPORTED, grant_type[:100])
    check_tenant(service, tenant, users=grant is not _client_credentials)
    response = grant(service, request, form)
    if "/v2.0/" not in request.path and service.idp is IdentityProvider.AAD:
        response |= {name: str(response[name]) for name in ("expires_in", "ext_expires_in")}
        response |= {"expires_on": str(service.clock.epoch() + LIFETIME[service.idp])}
        response |= {"resource": form.get("resource") or service.directory.audience}
    return json_response(200, response, NO_STORE)


def check_tenant(service: TokenService, tenant: str, *, users: bool) -> None:
    """Raise OAuthError for a foreign tenant, and for `common` unless `users` sign in."""
    if service.idp is IdentityProvider.ADFS:
        return
    name = tenant.lower()
    if name in MULTI_TENANT:
        if not users:
            raise OAuthError(Reason.TENANT_MISSING)
    elif name not in (service.directory.tenant, service.directory.domain):
        raise OAuthError(Reason.TENANT_UNKNOWN, tenant)


def public_client(form: Mapping[str, str]) -> str:
    """Return the client id of a user's sign-in: only the Azure CLI's is registered."""
    client_id = form.get("client_id")
    if not client_id:
        raise OAuthError(Reason.PARAMETER_MISSING, "client_id")
    if client_id.lower() != AZURE_CLI_CLIENT_ID:
        raise OAuthError(Reason.APP_UNKNOWN, client_id)
    return AZURE_CLI_CLIENT_ID


def parse_scope(service: TokenService, form: Mapping[str, str]) -> RequestedScope:
    """Parse `scope` and `resource`; OAuthError unless the resource is an audience of ours."""
    scopes = tuple(form.get("scope", "").split())
    resource, suffix = form.get("resource"), ""
    for scope in scopes:
        if scope not in OIDC_SCOPES:
            resource, _, suffix = scope.rpartition("/")
    known = (None, *service.directory.known_audiences, *service.directory.other_services)
    if resource not in known:
        raise OAuthError(Reason.RESOURCE_UNKNOWN, resource or suffix)
    return RequestedScope(resource, suffix, scopes)


def _client_credentials(
    service: TokenService, request: Request, form: Mapping[str, str]
) -> dict[str, object]:
    application, method = authenticate_application(service, request, form)
    requested = parse_scope(service, form)
    match service.idp, requested.suffix:
        case IdentityProvider.AAD, ".default":
            pass
        case IdentityProvider.AAD, "" if form.get("resource"):
            pass
        case IdentityProvider.AAD, _:
            raise OAuthError(Reason.SCOPE_NOT_DEFAULT, " ".join(requested.scopes))
        case IdentityProvider.ADFS, ".default" if not service.options.adfs_default_scope:
            raise OAuthError(Reason.DEFAULT_SCOPE_REFUSED)
        case IdentityProvider.ADFS, (".default" | "openid" | "") if requested.resource:
            pass
        case _:
            raise OAuthError(Reason.SCOPE_INVALID, " ".join(requested.scopes))
    return _token_response(service, service.app_token(application, method, requested.resource))


def _password(
    service: TokenService, _request: Request, form: Mapping[str, str]
) -> dict[str, object]:
    client_id = public_client(form)
    for name in ("username", "password"):
        if not form.get(name):
            raise OAuthError(Reason.PARAMETER_MISSING, name)
    requested = parse_scope(service, form)
    user = authenticate_user(
        service, form["username"], form["password"], interactive=False, client_id=client_id
    )
    return _user_response(service, form, requested, client_id, user)


def _refresh_token(
    service: TokenService, _request: Request, form: Mapping[str, str]
) -> dict[str, object]:
    client_id = public_client(form)
    grant = service.grant(form.get("refresh_token", ""))
    if grant is None or grant.client_id != client_id:
        raise OAuthError(Reason.REFRESH_TOKEN_INVALID)
    return _user_response(service, form, parse_scope(service, form), client_id, grant.user)


def _device_code(
    service: TokenService, _request: Request, form: Mapping[str, str]
) -> dict[str, object]:
    client_id = public_client(form)
    code = form.get("device_code") or form.get("code") or ""
    after = service.options.device_approve_after
    if after is not None:
        service.devices.auto_approve(code, after, service.directory.user)
    user, scope = service.devices.redeem(code, client_id)
    return _user_response(service, form, parse_scope(service, {"scope": scope}), client_id, user)


def _user_response(
    service: TokenService,
    form: Mapping[str, str],
    requested: RequestedScope,
    client_id: str,
    user: User,
) -> dict[str, object]:
    response = _token_response(service, service.user_token(client_id, user, requested.resource))
    response["refresh_token"] = service.refresh_token(client_id, user)
    if "openid" in requested.oidc:
        response["id_token"] = service.id_token(client_id, user)
    match service.idp:
        case IdentityProvider.AAD:
            audience = requested.resource or service.directory.audience
            granted = f"{audience}/user_impersonation {audience}/.default"
            response |= {"scope": granted, "foci": "1"}
            if form.get("client_info") == "1":
                response["client_info"] = service.client_info(user)
        case IdentityProvider.ADFS:
            response |= {
                "scope": " ".join(requested.scopes) or "openid",
                "refresh_token_expires_in": REFRESH_LIFETIME,
            }
    return response


def _token_response(service: TokenService, access_token: str) -> dict[str, object]:
    seconds = LIFETIME[service.idp]
    match service.idp:
        case IdentityProvider.AAD:
            return {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": access_token,
            }
        case IdentityProvider.ADFS:
            return {"access_token": access_token, "token_type": "bearer", "expires_in": seconds}


GRANTS: dict[str, Callable[[TokenService, Request, Mapping[str, str]], dict[str, object]]] = {
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh_token,
    "device_code": _device_code,
    "urn:ietf:params:oauth:grant-type:device_code": _device_code,
}
"""Functions by `grant_type`; version 1.0 of Entra uses the short name `device_code`."""
