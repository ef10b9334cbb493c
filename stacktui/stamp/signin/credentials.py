"""Authentication of a client by secret or assertion, and of a user by password."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from stacktui.stamp.directory import Application, User
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request
from stacktui.stamp.oauth_errors import OAuthError, Reason
from stacktui.stamp.signin.jwt import BadSignatureError, Jws, MalformedTokenError, thumbprints
from stacktui.stamp.signin.service import TokenService

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLOCK_SKEW = 300
"""Seconds of tolerance for an assertion's times (PROTOCOL.md section 4)."""

ACCEPTED_THUMBPRINTS = {
    IdentityProvider.AAD: ("x5t#S256", "x5t"),
    IdentityProvider.ADFS: ("x5t",),
}
"""AD FS accepts SHA-1 only; Entra both, as az 2.66 still sends SHA-1."""

SECRET_METHOD, CERTIFICATE_METHOD = "1", "2"


def secrets_equal(left: str, right: str) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def authenticate_application(
    service: TokenService, request: Request, form: Mapping[str, str]
) -> tuple[Application, str]:
    """Return the application that sent the request and its authentication method (`appidacr`).

    A secret comes in the form or as HTTP Basic (RFC 6749 section 2.3.1), an assertion as
    RFC 7523 section 2.2 says. OAuthError when authentication fails.
    """
    client_id, secret = _basic(request) or (form.get("client_id"), form.get("client_secret"))
    application = service.directory.application
    if not client_id:
        raise OAuthError(Reason.PARAMETER_MISSING, "client_id")
    if client_id.lower() != application.client_id:
        raise OAuthError(Reason.APP_UNKNOWN, client_id)
    if form.get("client_assertion_type") == ASSERTION_TYPE:
        _check_assertion(service, application, form.get("client_assertion", ""))
        return application, CERTIFICATE_METHOD
    if not secret:
        raise OAuthError(Reason.SECRET_MISSING)
    if not secrets_equal(secret, application.secret):
        raise OAuthError(Reason.SECRET_WRONG, application.client_id)
    if application.secret_expired:
        raise OAuthError(Reason.SECRET_EXPIRED, application.client_id)
    return application, SECRET_METHOD


def authenticate_user(
    service: TokenService, name: str, password: str, *, interactive: bool, client_id: str
) -> User:
    """Return the user of a name and password; `interactive` for the page, which can ask for MFA."""
    user = service.directory.user
    if name.lower() != user.name.lower():
        raise OAuthError(Reason.USER_UNKNOWN, name)
    if not secrets_equal(password, user.password):
        raise OAuthError(Reason.PASSWORD_WRONG)
    reason = user.sign_in_error
    if reason is None or (interactive and reason is Reason.MFA_REQUIRED):
        return user
    detail = {Reason.MFA_REQUIRED: service.directory.audience, Reason.CONSENT_REQUIRED: client_id}
    raise OAuthError(reason, detail.get(reason, ""))


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


def _check_assertion(service: TokenService, application: Application, assertion: str) -> None:
    try:
        token = Jws.parse(assertion)
    except MalformedTokenError as error:
        raise OAuthError(Reason.ASSERTION_MALFORMED, str(error)) from None
    shown = _thumbprint(token, service.idp)
    key = _registered_key(application, token.header, service.idp)
    if key is None:
        raise OAuthError(Reason.ASSERTION_KEY_UNKNOWN, shown)
    try:
        token.verify(key)
    except BadSignatureError:
        raise OAuthError(Reason.ASSERTION_SIGNATURE, shown) from None
    _check_assertion_claims(service, application, token)


def _registered_key(
    application: Application, header: Mapping[str, Any], idp: IdentityProvider
) -> rsa.RSAPublicKey | None:
    """Return the key of the registered certificate; None when the header names another one."""
    if application.certificate is None:
        return None
    known = thumbprints(application.certificate)
    if not any(_named(header, name) == known[name] for name in ACCEPTED_THUMBPRINTS[idp]):
        return None
    key = application.certificate.public_key()
    return key if isinstance(key, rsa.RSAPublicKey) else None


def _named(header: Mapping[str, Any], name: str) -> str:
    """Return a thumbprint of the header, unpadded: MSAL pads it, against RFC 7515 section 2."""
    value = header.get(name)
    return value.rstrip("=") if isinstance(value, str) else ""


def _thumbprint(token: Jws, idp: IdentityProvider) -> str:
    """Return the header's thumbprint in hexadecimal, as Entra's errors show it; empty for none."""
    named = (_named(token.header, name) for name in ACCEPTED_THUMBPRINTS[idp])
    value = next((name for name in named if name), "")
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex().upper()
    except ValueError:
        return ""


def _check_assertion_claims(service: TokenService, application: Application, token: Jws) -> None:
    """Check issuer, subject, audience and times as RFC 7523 section 3 says."""
    for claim in ("iss", "sub"):
        if token.claims.get(claim) != application.client_id:
            raise OAuthError(Reason.ASSERTION_MALFORMED, f"Claim '{claim}' is not the client.")
    audience = token.claims.get("aud")
    if audience not in assertion_audiences(service):
        raise OAuthError(Reason.ASSERTION_AUDIENCE, str(audience)[:200])
    now, expires = service.clock.epoch(), token.number("exp")
    begins = token.number("nbf") or token.number("iat") or 0
    if expires is None or not begins - CLOCK_SKEW <= now < expires + CLOCK_SKEW:
        times = f"Current time: {now}, assertion valid from {begins}, expiry time {expires}."
        raise OAuthError(Reason.ASSERTION_TIME, times)


def assertion_audiences(service: TokenService) -> frozenset[str]:
    """Return the accepted `aud` values: token endpoints and issuer, by tenant id or domain."""
    login, directory = service.hosts.login, service.directory
    match service.idp:
        case IdentityProvider.AAD:
            tenants = (directory.tenant, directory.domain)
            paths = ("/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "/")
            return frozenset(f"{login}{tenant}{path}" for tenant in tenants for path in paths)
        case IdentityProvider.ADFS:
            return frozenset({f"{login}/oauth2/token", f"{login}/oauth2/token/", login})
