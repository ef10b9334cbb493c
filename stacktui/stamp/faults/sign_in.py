"""Faults of sign-in: the token service, the directory's accounts, IMDS, and the tokens issued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from stacktui.stamp.directory import Directory, make_secret
from stacktui.stamp.faults import overrides
from stacktui.stamp.faults.model import Fault, FaultyEndpoint, SignInKind
from stacktui.stamp.faults.overrides import ResponseOverride
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Delivery
from stacktui.stamp.oauth_errors import Reason

_TWO_HOURS = 7200


def _token(summary: str, override: ResponseOverride) -> Fault:
    return Fault(summary, endpoint=FaultyEndpoint.TOKEN, override=override)


def _directory(**changes: Any) -> Callable[[Directory], Directory]:
    return lambda directory: replace(directory, **_made(changes))


def _application(**changes: Any) -> Callable[[Directory], Directory]:
    return lambda directory: replace(
        directory, application=replace(directory.application, **_made(changes))
    )


def _user(**changes: Any) -> Callable[[Directory], Directory]:
    return lambda directory: replace(directory, user=replace(directory.user, **_made(changes)))


def _made(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes, with functions called: they make a new value for each stamp."""
    return {name: value() if callable(value) else value for name, value in changes.items()}


def _account(
    summary: str, error: Reason, only_idp: IdentityProvider | None = IdentityProvider.AAD
) -> Fault:
    return Fault(
        summary,
        only_idp=only_idp,
        server_overrides=_user(sign_in_error=error),
        sign_in_kind=SignInKind.PASSWORD,
    )


def _id() -> str:
    return str(uuid4())


def _audience() -> str:
    return f"https://management.invalid/{uuid4()}"


FAULTS: dict[str, Fault] = {
    # The token service
    "login-timeout": _token("the token endpoint never answers", overrides.deliver(Delivery.NEVER)),
    "login-reset": _token(
        "the token endpoint is reset in mid-answer", overrides.deliver(Delivery.RESET)
    ),
    "login-server-error": _token(
        "the token endpoint answers 500",
        overrides.oauth_error(500, "server_error", "The service met an internal error."),
    ),
    "login-not-json": _token(
        "the token endpoint answers an HTML page",
        overrides.html("IIS Windows Server", "Internet Information Services"),
    ),
    "login-intercepted": _token(
        "the token endpoint answers 200 with a captive portal's page",
        overrides.html(
            "Guest Network Sign-in", "Accept the terms of use to get access to this network."
        ),
    ),
    "login-throttled": Fault(
        "the token endpoint answers 429 with Retry-After", token_error=Reason.THROTTLED
    ),
    # Applications and tenant
    "secret-missing": Fault("the secret file is not there", client_files={"secret": None}),
    "sp-secret-wrong": Fault(
        "the application holds another secret than the client",
        server_overrides=_application(secret=make_secret),
    ),
    "sp-secret-expired": Fault(
        "the secret has expired",
        only_idp=IdentityProvider.AAD,
        server_overrides=_application(secret_expired=True),
    ),
    "sp-cert-unusable": Fault(
        "the certificate file holds neither certificate nor key",
        client_files={"sp.pem": b"no PEM block here\n"},
        sign_in_kind=SignInKind.CERTIFICATE,
    ),
    "sp-cert-rejected": Fault(
        "the application holds no certificate",
        server_overrides=_application(certificate=None),
        sign_in_kind=SignInKind.CERTIFICATE,
    ),
    "app-not-found": Fault(
        "the directory knows no such application", server_overrides=_application(client_id=_id)
    ),
    "tenant-not-found": Fault(
        "the login service knows no such tenant",
        only_idp=IdentityProvider.AAD,
        server_overrides=_directory(tenant=_id, domain="fabrikam.invalid"),
    ),
    "audience-unknown": Fault(
        "the directory knows no resource with the metadata's audience",
        server_overrides=_directory(audience=_audience),
    ),
    # Users
    "password-wrong": Fault(
        "the user has another password than the client",
        server_overrides=_user(password=make_secret),
        sign_in_kind=SignInKind.PASSWORD,
    ),
    "account-locked": _account("the account is locked", Reason.ACCOUNT_LOCKED),
    "account-disabled": _account("the account is disabled", Reason.ACCOUNT_DISABLED),
    "password-expired": _account("the password has expired", Reason.PASSWORD_EXPIRED),
    "mfa-required": _account(
        "the user must use a second factor", Reason.MFA_REQUIRED, only_idp=None
    ),
    "conditional-access": _account(
        "a policy blocks the sign-in", Reason.CONDITIONAL_ACCESS, only_idp=None
    ),
    "consent-required": _account("nobody has consented to the client", Reason.CONSENT_REQUIRED),
    "device-code-expired": Fault(
        "device codes are good for three seconds",
        device_code_lifetime=3,
        sign_in_kind=SignInKind.DEVICE_CODE,
    ),
    "device-code-declined": Fault(
        "the user declines the device code",
        declines_device_codes=True,
        sign_in_kind=SignInKind.DEVICE_CODE,
    ),
    # Managed identities
    "imds-unreachable": Fault(
        "nothing listens where the instance metadata service should be",
        imds_listens=False,
        sign_in_kind=SignInKind.MANAGED_IDENTITY,
    ),
    "imds-no-identity": Fault(
        "no managed identity is assigned",
        server_overrides=_directory(managed_identities=()),
        sign_in_kind=SignInKind.MANAGED_IDENTITY,
    ),
    "imds-unavailable": Fault(
        "the instance metadata service answers 503",
        endpoint=FaultyEndpoint.IMDS,
        override=overrides.oauth_error(503, "server_error", "The service is unavailable."),
        sign_in_kind=SignInKind.MANAGED_IDENTITY,
    ),
    # Issued tokens and the clock
    "token-audience-mismatch": Fault(
        "access tokens are for another audience",
        edit_claims=lambda claims: claims.update(aud=_audience()),
    ),
    "token-expired-on-arrival": Fault(
        "access tokens ended an hour ago",
        edit_claims=lambda claims: claims.update(
            {name: claims[name] - _TWO_HOURS for name in ("iat", "nbf", "exp")}
        ),
    ),
    "clock-skew": Fault(
        "the stamp's clock is 20 minutes ahead", clock_offset=timedelta(minutes=20)
    ),
}
