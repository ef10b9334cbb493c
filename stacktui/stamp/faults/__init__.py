"""The fault table: what `--fault ID` makes the stamp do. Ids and meanings are FAULTS.md's.

One entry a fault, data only; what an entry can change is listed at `Fault`. Services refuse for
real wherever they can: a wrong secret is refused because the directory holds another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from stacktui.stamp.directory import AccountState, Directory, SubscriptionState, make_secret
from stacktui.stamp.faults import overrides
from stacktui.stamp.faults.model import ChainSpec, ConnectionFault, Fault, RouteGroup, SignInKind
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.signin.oauth_errors import Reason

CAPTIVE_TITLE = "Guest Network Sign-in"
CAPTIVE_TEXT = "Accept the terms of use to get access to this network."
DAY = timedelta(days=1)
HOUR = 3600
ABSENT_LOGIN = "https://login.azurestack.invalid"
FOREIGN_ORIGIN = "https://management.east.fabrikam.invalid"


def _app(**changes: Any) -> Callable[[Directory], Directory]:
    return lambda known: replace(known, application=replace(known.application, **changes))


def _user(state: AccountState) -> Callable[[Directory], Directory]:
    return lambda known: replace(known, user=replace(known.user, state=state))


def _directory(**changes: Any) -> Callable[[Directory], Directory]:
    return lambda known: replace(known, **changes)


def _blank_login(document: Any, _request: object, _context: object) -> None:
    for cloud in document if isinstance(document, list) else [document]:
        cloud["authentication"].update(loginEndpoint="", audiences=[""])


def _plain_login(document: Any, _request: object, _context: object) -> None:
    for cloud in document if isinstance(document, list) else [document]:
        sign_in = cloud["authentication"]
        sign_in["loginEndpoint"] = sign_in["loginEndpoint"].replace("https:", "http:", 1)


def _login_elsewhere(document: Any, _request: object, _context: object) -> None:
    for cloud in document if isinstance(document, list) else [document]:
        sign_in = cloud["authentication"]
        path = urlsplit(sign_in["loginEndpoint"]).path
        sign_in["loginEndpoint"] = f"{ABSENT_LOGIN}{path}"


def _login_moves(document: Any, request: object, context: overrides.OverrideContext) -> None:
    if context.previous_requests:
        _login_elsewhere(document, request, context)


def _link_to_itself(document: Any, request: Any, context: overrides.OverrideContext) -> None:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    document["nextLink"] = f"{context.arm}{request.path}?{query}"


def _link_elsewhere(document: Any, request: Any, _context: object) -> None:
    document["nextLink"] = f"{FOREIGN_ORIGIN}{request.path}?api-version=2019-10-01&$skiptoken=eyJ"


_FAULTS: dict[str, Fault] = {
    # reach
    "dns-not-found": Fault(
        summary="the ARM URL names a host that does not exist",
        client_overrides={"arm_url": "https://management.local.azurestack.invalid"},
    ),
    "tcp-refused": Fault(
        summary="nothing listens on the stamp's port", connection=ConnectionFault.REFUSED
    ),
    "tcp-timeout": Fault(
        summary="nothing comes back from the stamp's port",
        connection=ConnectionFault.BLACKHOLE,
    ),
    "tcp-reset": Fault(
        summary="connections are reset before TLS", connection=ConnectionFault.RESET
    ),
    "proxy-unreachable": Fault(summary="nobody listens at the proxy", proxy_response=b""),
    "proxy-auth-required": Fault(
        summary="the proxy answers 407",
        proxy_response=b"HTTP/1.1 407 Proxy Authentication Required\r\n"
        b"Proxy-Authenticate: Negotiate\r\n"
        b'Proxy-Authenticate: Basic realm="Contoso"\r\n'
        b"Content-Length: 0\r\n\r\n",
    ),
    "proxy-refused": Fault(
        summary="the proxy answers 403",
        proxy_response=b"HTTP/1.1 403 Blocked by policy\r\nContent-Length: 0\r\n\r\n",
    ),
    # TLS
    "tls-not-tls": Fault(
        summary="the port speaks plain HTTP", connection=ConnectionFault.PLAIN_HTTP
    ),
    "tls-timeout": Fault(summary="the TLS handshake never ends", connection=ConnectionFault.SILENT),
    "tls-untrusted-root": Fault(
        summary="the CA file holds another root than the chain's", chain=ChainSpec(trusted=False)
    ),
    "tls-missing-intermediate": Fault(
        summary="the server sends the leaf only", chain=ChainSpec(sends_intermediate=False)
    ),
    "tls-self-signed": Fault(
        summary="the leaf is its own issuer", chain=ChainSpec(self_signed=True)
    ),
    "tls-intercepted": Fault(
        summary="the chain ends in a gateway's root, the CA file holds another",
        chain=ChainSpec(root="Contoso Web Gateway Root CA", trusted=False),
    ),
    "tls-expired": Fault(
        summary="the leaf ended three days ago", chain=ChainSpec(starts=-400 * DAY, ends=-3 * DAY)
    ),
    "tls-not-yet-valid": Fault(
        summary="the leaf begins in three days", chain=ChainSpec(starts=3 * DAY)
    ),
    "tls-name-mismatch": Fault(
        summary="the leaf is for another region's names",
        chain=ChainSpec(names=("portal.east.contoso.example", "management.east.contoso.example")),
    ),
    "tls-weak": Fault(summary="the leaf's key is RSA of 1024 bits", chain=ChainSpec(weak_key=True)),
    # beside a verdict: these fail no check
    "cert-expires-soon": Fault(
        summary="the leaf ends in twenty days", chain=ChainSpec(ends=20 * DAY + timedelta(hours=1))
    ),
    "cert-readiness": Fault(
        summary="the leaf may not be used by clients, which the vendor's checker rejects",
        chain=ChainSpec(no_client_auth=True),
    ),
    "trust-file-missing": Fault(summary="the CA file is not there", client_files={"ca.pem": None}),
    "trust-file-bad": Fault(
        summary="the CA file is a web page", client_files={"ca.pem": b"<html>Not found</html>\n"}
    ),
    # metadata
    "metadata-server-error": Fault(
        summary="metadata answers 500",
        routes=RouteGroup.METADATA,
        override=overrides.arm_error(
            500, "InternalServerError", "Encountered internal server error. Id: '{tracking}'."
        ),
    ),
    "metadata-unavailable": Fault(
        summary="metadata answers 503 with Retry-After",
        routes=RouteGroup.METADATA,
        override=overrides.arm_error(
            503, "ServiceUnavailable", "The service is unavailable.", {"Retry-After": "120"}
        ),
    ),
    "metadata-intercepted": Fault(
        summary="metadata answers 200 with a captive portal's page",
        routes=RouteGroup.METADATA,
        override=overrides.html(200, CAPTIVE_TITLE, CAPTIVE_TEXT),
    ),
    "metadata-not-json": Fault(
        summary="metadata answers JSON cut after 60 bytes",
        routes=RouteGroup.METADATA,
        override=overrides.truncate(60),
    ),
    "metadata-incomplete": Fault(
        summary="login endpoint and audience are blank",
        routes=RouteGroup.METADATA,
        override=overrides.edit_json(_blank_login),
    ),
    "metadata-too-large": Fault(
        summary="metadata answers 4 MiB",
        routes=RouteGroup.METADATA,
        override=overrides.pad(4 << 20),
    ),
    "metadata-timeout": Fault(
        summary="metadata never answers",
        routes=RouteGroup.METADATA,
        override=overrides.never(),
    ),
    "metadata-api-version": Fault(
        summary="metadata refuses every api-version but 1.0",
        routes=RouteGroup.METADATA,
        override=overrides.arm_error(
            400,
            "InvalidApiVersionParameter",
            "The api-version is invalid. The supported versions are '1.0'.",
        ),
    ),
    "metadata-drift": Fault(
        from_second_check=True,
        summary="from the second time on, metadata names another login host",
        routes=RouteGroup.METADATA,
        override=overrides.edit_json(_login_moves),
    ),
    "metadata-reset": Fault(
        summary="the connection is closed where metadata should come",
        routes=RouteGroup.METADATA,
        override=overrides.close(),
    ),
    "login-endpoint-insecure": Fault(
        summary="the login endpoint is http:",
        routes=RouteGroup.METADATA,
        override=overrides.edit_json(_plain_login),
    ),
    # token
    "login-unreachable": Fault(
        summary="the login host does not exist",
        routes=RouteGroup.METADATA,
        override=overrides.edit_json(_login_elsewhere),
    ),
    "login-timeout": Fault(
        summary="the token endpoint never answers",
        routes=RouteGroup.TOKEN,
        override=overrides.never(),
    ),
    "login-reset": Fault(
        summary="the token endpoint is reset in mid-answer",
        routes=RouteGroup.TOKEN,
        override=overrides.reset(),
    ),
    "login-server-error": Fault(
        summary="the token endpoint answers 500",
        routes=RouteGroup.TOKEN,
        override=overrides.oauth_error(500, "server_error", "The service met an internal error."),
    ),
    "login-not-json": Fault(
        summary="the token endpoint answers an HTML page",
        routes=RouteGroup.TOKEN,
        override=overrides.html(200, "IIS Windows Server", "Internet Information Services"),
    ),
    "login-throttled": Fault(
        summary="the token endpoint answers 429 with Retry-After",
        token_error=Reason.THROTTLED,
    ),
    "secret-missing": Fault(summary="the secret file is not there", client_files={"secret": None}),
    "sp-secret-wrong": Fault(
        summary="the application holds another secret than the client",
        server_overrides=lambda known: _app(secret=make_secret())(known),
    ),
    "sp-secret-expired": Fault(
        only_idp=IdentityProvider.AAD,
        summary="the secret has expired",
        server_overrides=_app(secret_expired=True),
    ),
    "sp-cert-unusable": Fault(
        summary="the certificate file holds neither certificate nor key",
        client_files={"sp.pem": b"no PEM block here\n"},
        sign_in_kind=SignInKind.CERTIFICATE,
    ),
    "sp-cert-rejected": Fault(
        summary="the application holds no certificate",
        server_overrides=_app(certificate=None),
        sign_in_kind=SignInKind.CERTIFICATE,
    ),
    "app-not-found": Fault(
        summary="the directory knows no such application",
        server_overrides=lambda known: _app(client_id=str(uuid4()))(known),
    ),
    "tenant-not-found": Fault(
        only_idp=IdentityProvider.AAD,
        summary="the login service knows no such tenant",
        server_overrides=lambda known: replace(
            known, tenant=str(uuid4()), domain="fabrikam.invalid"
        ),
    ),
    "audience-unknown": Fault(
        summary="the directory knows no resource with the metadata's audience",
        server_overrides=lambda known: replace(
            known, audience=f"https://management.invalid/{uuid4()}"
        ),
    ),
    "password-wrong": Fault(
        summary="the user has another password than the client",
        server_overrides=lambda known: replace(
            known, user=replace(known.user, password=make_secret())
        ),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "account-locked": Fault(
        only_idp=IdentityProvider.AAD,
        summary="the account is locked",
        server_overrides=_user(AccountState.LOCKED),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "account-disabled": Fault(
        only_idp=IdentityProvider.AAD,
        summary="the account is disabled",
        server_overrides=_user(AccountState.DISABLED),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "password-expired": Fault(
        only_idp=IdentityProvider.AAD,
        summary="the password has expired",
        server_overrides=_user(AccountState.PASSWORD_EXPIRED),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "mfa-required": Fault(
        summary="the user must use a second factor",
        server_overrides=_user(AccountState.MFA_REQUIRED),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "conditional-access": Fault(
        summary="a policy blocks the sign-in",
        server_overrides=_user(AccountState.CONDITIONAL_ACCESS),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "consent-required": Fault(
        only_idp=IdentityProvider.AAD,
        summary="nobody has consented to the client",
        server_overrides=_user(AccountState.CONSENT_REQUIRED),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "device-code-expired": Fault(
        summary="device codes are good for three seconds",
        device_code_lifetime=3,
        sign_in_kind=SignInKind.DEVICE_CODE,
    ),
    "device-code-declined": Fault(
        summary="the user declines the device code",
        declines_device_codes=True,
        sign_in_kind=SignInKind.DEVICE_CODE,
    ),
    "imds-unreachable": Fault(
        summary="nothing listens where the instance metadata service should be",
        imds_listens=False,
        sign_in_kind=SignInKind.MANAGED_IDENTITY,
    ),
    "imds-no-identity": Fault(
        summary="no managed identity is assigned",
        server_overrides=_directory(managed_identities=()),
        sign_in_kind=SignInKind.MANAGED_IDENTITY,
    ),
    "imds-unavailable": Fault(
        summary="the instance metadata service answers 503",
        routes=RouteGroup.IMDS,
        override=overrides.oauth_error(503, "server_error", "The service is unavailable."),
        sign_in_kind=SignInKind.MANAGED_IDENTITY,
    ),
    "token-audience-mismatch": Fault(
        summary="access tokens are for another audience",
        edit_claims=lambda claims: claims.update(aud=f"https://management.invalid/{uuid4()}"),
    ),
    "token-expired-on-arrival": Fault(
        summary="access tokens ended an hour ago",
        edit_claims=lambda claims: claims.update(
            {name: claims[name] - 2 * HOUR for name in ("iat", "nbf", "exp")}
        ),
    ),
    "clock-skew": Fault(
        summary="the stamp's clock is 20 minutes ahead", clock_offset=timedelta(minutes=20)
    ),
    # resources
    "arm-unauthorized": Fault(
        summary="access tokens are of another tenant",
        edit_claims=lambda claims: claims.update(tid=str(uuid4())),
    ),
    "arm-forbidden": Fault(
        summary="reading resource groups is denied",
        denied_actions=frozenset({"Microsoft.Resources/subscriptions/resourceGroups/read"}),
    ),
    "no-subscriptions": Fault(
        summary="there is no subscription", server_overrides=_directory(subscription_state=None)
    ),
    "subscription-not-found": Fault(
        summary="the client is handed a subscription that is not there",
        server_overrides=lambda known: replace(known, subscription=str(uuid4())),
    ),
    "subscription-disabled": Fault(
        summary="the subscription is disabled",
        server_overrides=_directory(subscription_state=SubscriptionState.DISABLED),
    ),
    "api-version-unsupported": Fault(summary="the stamp is of build 1802", build="1802"),
    "arm-throttled": Fault(
        summary="resource groups answers 429 with Retry-After",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.arm_error(
            429,
            "TooManyRequests",
            "Number of read requests for subscription '{subscription}' exceeded the limit. "
            "Please try again after '17' seconds.",
            {"Retry-After": "17"},
        ),
    ),
    "arm-server-error": Fault(
        summary="resource groups answers 500",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.arm_error(
            500,
            "InternalServerError",
            "Encountered internal server error. Diagnostic information: timestamp '{timestamp}', "
            "subscription id '{subscription}', tracking id '{tracking}'.",
        ),
    ),
    "arm-unavailable": Fault(
        summary="resource groups answers 503 with Retry-After",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.arm_error(
            503,
            "ServiceUnavailable",
            "The service is unavailable. The tracking id is '{tracking}'.",
            {"Retry-After": "60"},
        ),
    ),
    "arm-not-json": Fault(
        summary="resource groups answers JSON cut after 60 bytes",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.truncate(60),
    ),
    "arm-reset": Fault(
        summary="resource groups is reset in mid-answer",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.reset(),
    ),
    "arm-timeout": Fault(
        summary="resource groups never answers",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.never(),
    ),
    "paging-loop": Fault(
        summary="nextLink repeats the page it is on",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.edit_json(_link_to_itself),
    ),
    "paging-foreign-host": Fault(
        summary="nextLink leaves the stamp",
        routes=RouteGroup.GROUP_LIST,
        override=overrides.edit_json(_link_elsewhere),
    ),
}

FAULTS: Mapping[str, Fault] = MappingProxyType(_FAULTS)
"""Every fault the stamp can play, by its id in FAULTS.md."""
