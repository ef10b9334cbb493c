"""Discovery documents: OpenID configuration, keys, user realm, instances."""

from __future__ import annotations

from urllib.parse import urlsplit

from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request, Response, json_response
from stacktui.stamp.oauth_errors import OAuthError, Reason
from stacktui.stamp.signin.grants import MULTI_TENANT, check_tenant
from stacktui.stamp.signin.service import TokenService


def openid_configuration(service: TokenService, request: Request, tenant: str) -> Response:
    """Return the OpenID configuration (OpenID Connect Discovery section 4)."""
    check_tenant(service, tenant, users=True)
    match service.idp:
        case IdentityProvider.AAD:
            v2 = "/v2.0/" in request.path.lower()
            return json_response(200, _entra_configuration(service, tenant.lower(), v2))
        case IdentityProvider.ADFS:
            return json_response(200, _adfs_configuration(service))


def keys(service: TokenService, _request: Request, tenant: str) -> Response:
    """Return the JWK set (RFC 7517)."""
    check_tenant(service, tenant, users=True)
    return json_response(200, service.signer.key_set())


def user_realm(service: TokenService, _request: Request, name: str) -> Response:
    """Return the realm of a user name, which MSAL requests before it sends a password to Entra."""
    domain = name.rpartition("@")[2].lower()
    if domain != service.directory.domain:
        return json_response(200, {"ver": "1.0", "account_type": "Unknown"})
    document = {
        "ver": "1.0",
        "account_type": "Managed",
        "domain_name": domain,
        "cloud_instance_name": urlsplit(service.hosts.login).hostname,
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }
    return json_response(200, document)


def instance_discovery(service: TokenService, request: Request) -> Response:
    """Return the instance metadata of a login host; OAuthError for a foreign host."""
    endpoint = urlsplit(request.query.get("authorization_endpoint", ""))
    host = urlsplit(service.hosts.login).netloc
    tenant = endpoint.path.strip("/").split("/")[0]
    if endpoint.netloc.lower() != host or not tenant:
        raise OAuthError(Reason.INSTANCE_UNKNOWN)
    document = {
        "tenant_discovery_endpoint": (
            f"https://{host}/{tenant}/v2.0/.well-known/openid-configuration"
        ),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
    return json_response(200, document)


def _entra_configuration(service: TokenService, tenant: str, v2: bool) -> dict[str, object]:
    base, version = f"{service.hosts.login}{tenant}", "/v2.0" if v2 else ""
    directory = service.directory
    issuer_tenant = "{tenantid}" if tenant in MULTI_TENANT else directory.tenant
    issuer = f"{service.hosts.login}{issuer_tenant}{version or '/'}"
    return {
        "token_endpoint": f"{base}/oauth2{version}/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{base}/discovery{version}/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "authorization_endpoint": f"{base}/oauth2{version}/authorize",
        "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
        "end_session_endpoint": f"{base}/oauth2{version}/logout",
        "tenant_region_scope": None,
        "cloud_instance_name": urlsplit(base).hostname,
    }


def _adfs_configuration(service: TokenService) -> dict[str, object]:
    base = service.hosts.login
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/oauth2/authorize/",
        "token_endpoint": f"{base}/oauth2/token/",
        "device_authorization_endpoint": f"{base}/oauth2/devicecode",
        "jwks_uri": f"{base}/discovery/keys",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "client_secret_basic",
            "private_key_jwt",
        ],
        "response_types_supported": ["code", "id_token", "code id_token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "password",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid", "profile", "email", "user_impersonation"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "access_token_issuer": service.issuer,
        "claims_supported": ["aud", "iss", "iat", "exp", "upn", "unique_name", "sub"],
        "end_session_endpoint": f"{base}/oauth2/logout",
    }
