"""Errors of the sign-in endpoints, as each identity provider words them.

Numbers and error names: PROTOCOL.md section 2. AD FS always answers 400, and returns MSIS9622 both
for a wrong secret and for a rejected assertion. Where the number of AD FS is not known, the row has
the error name of RFC 6749 or RFC 8628 and a message only.
"""

# ruff: noqa: E501 - the tables keep a reason on a line

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from uuid import uuid4

from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Response, json_response


class Reason(Enum):
    """Reasons for an error of the sign-in endpoints."""

    TENANT_UNKNOWN = auto()
    TENANT_MISSING = auto()
    INSTANCE_UNKNOWN = auto()
    PARAMETER_MISSING = auto()
    GRANT_UNSUPPORTED = auto()
    SCOPE_INVALID = auto()
    SCOPE_NOT_DEFAULT = auto()
    APP_UNKNOWN = auto()
    SECRET_MISSING = auto()
    SECRET_WRONG = auto()
    SECRET_EXPIRED = auto()
    ASSERTION_KEY_UNKNOWN = auto()
    ASSERTION_SIGNATURE = auto()
    ASSERTION_AUDIENCE = auto()
    ASSERTION_TIME = auto()
    ASSERTION_MALFORMED = auto()
    RESOURCE_UNKNOWN = auto()
    DEFAULT_SCOPE_REFUSED = auto()
    USER_UNKNOWN = auto()
    PASSWORD_WRONG = auto()
    ACCOUNT_LOCKED = auto()
    ACCOUNT_DISABLED = auto()
    PASSWORD_EXPIRED = auto()
    MFA_REQUIRED = auto()
    CONDITIONAL_ACCESS = auto()
    CONSENT_REQUIRED = auto()
    REFRESH_TOKEN_INVALID = auto()
    DEVICE_PENDING = auto()
    DEVICE_DECLINED = auto()
    DEVICE_EXPIRED = auto()
    DEVICE_CODE_UNKNOWN = auto()
    THROTTLED = auto()


class OAuthError(Exception):
    """An error response (RFC 6749 section 5.2); `detail` fills the message's placeholder."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason.name, detail)


@dataclass(frozen=True, slots=True)
class Wording:
    """HTTP status, OAuth error name, the provider's error number and message."""

    status: int
    error: str
    number: int | None
    text: str


_R = Reason
_UNREGISTERED = (
    "The certificate with identifier used to sign the client assertion is not registered"
)

ENTRA: dict[Reason, Wording] = {
    _R.TENANT_UNKNOWN: Wording(400, "invalid_request", 90002, "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."),
    _R.TENANT_MISSING: Wording(400, "invalid_request", 50059, "No tenant-identifying information found in either the request or implied by any provided credentials."),
    _R.INSTANCE_UNKNOWN: Wording(400, "invalid_instance", 50049, "Unknown or invalid instance."),
    _R.PARAMETER_MISSING: Wording(400, "invalid_request", 900144, "The request body must contain the following parameter: '{}'."),
    _R.GRANT_UNSUPPORTED: Wording(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '{}'."),
    _R.SCOPE_INVALID: Wording(400, "invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The provided value '{}' is not valid."),
    _R.SCOPE_NOT_DEFAULT: Wording(400, "invalid_scope", 1002012, "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."),
    _R.APP_UNKNOWN: Wording(400, "unauthorized_client", 700016, "Application with identifier '{}' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."),
    _R.SECRET_MISSING: Wording(401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
    _R.SECRET_WRONG: Wording(401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'."),
    _R.SECRET_EXPIRED: Wording(401, "invalid_client", 7000222, "The provided client secret keys for app '{}' are expired. Visit the portal to create new keys for your app, or consider using certificate credentials for added security."),
    _R.ASSERTION_KEY_UNKNOWN: Wording(401, "invalid_client", 700027, _UNREGISTERED + " on application. [Reason - The key was not found., Thumbprint of key used by client: '{}']"),
    _R.ASSERTION_SIGNATURE: Wording(401, "invalid_client", 700027, "Client assertion failed signature validation. [Reason - The key was found, but the signature was not verified with it., Thumbprint of key used by client: '{}']"),
    _R.ASSERTION_AUDIENCE: Wording(401, "invalid_client", 700023, "Client assertion audience claim does not match Realm issuer: '{}'."),
    _R.ASSERTION_TIME: Wording(401, "invalid_client", 700024, "Client assertion is not within its valid time range. {}"),
    _R.ASSERTION_MALFORMED: Wording(401, "invalid_client", 50027, "JWT token is invalid or malformed. {}"),
    _R.RESOURCE_UNKNOWN: Wording(400, "invalid_resource", 500011, "The resource principal named {} was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."),
    _R.USER_UNKNOWN: Wording(400, "invalid_grant", 50034, "The user account {} does not exist in the directory. To sign into this application, the account must be added to the directory."),
    _R.PASSWORD_WRONG: Wording(400, "invalid_grant", 50126, "Error validating credentials due to invalid username or password."),
    _R.ACCOUNT_LOCKED: Wording(400, "invalid_grant", 50053, "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."),
    _R.ACCOUNT_DISABLED: Wording(400, "invalid_grant", 50057, "The user account is disabled."),
    _R.PASSWORD_EXPIRED: Wording(400, "invalid_grant", 50055, "The password is expired."),
    _R.MFA_REQUIRED: Wording(400, "interaction_required", 50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{}'."),
    _R.CONDITIONAL_ACCESS: Wording(400, "interaction_required", 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
    _R.CONSENT_REQUIRED: Wording(400, "invalid_grant", 65001, "The user or administrator has not consented to use the application with ID '{}'. Send an interactive authorization request for this user and resource."),
    _R.REFRESH_TOKEN_INVALID: Wording(400, "invalid_grant", 70000, "Provided grant is invalid or malformed."),
    _R.DEVICE_PENDING: Wording(400, "authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    _R.DEVICE_DECLINED: Wording(400, "authorization_declined", 70018, "The user declined the authorization request."),
    _R.DEVICE_EXPIRED: Wording(400, "expired_token", 70019, "Verification code expired."),
    _R.DEVICE_CODE_UNKNOWN: Wording(400, "bad_verification_code", 70018, "Invalid verification code due to User typing in wrong user code for device code flow."),
    _R.THROTTLED: Wording(429, "temporarily_unavailable", 90055, "The request was throttled. Please try again later."),
}  # fmt: skip

_BAD_CLIENT = Wording(400, "invalid_client", 9622, "Client authentication failed. Please verify the credential provided for client authentication is valid.")  # fmt: skip
_BAD_USER = Wording(400, "invalid_grant", 9659, "Invalid 'username' or 'password'.")
_BAD_SCOPE = Wording(400, "invalid_scope", None, "The received 'scope' parameter '{}' is invalid.")

ADFS: dict[Reason, Wording] = {
    **dict.fromkeys((_R.SCOPE_INVALID, _R.SCOPE_NOT_DEFAULT), _BAD_SCOPE),
    **dict.fromkeys((_R.SECRET_MISSING, _R.SECRET_WRONG, _R.SECRET_EXPIRED), _BAD_CLIENT),
    **dict.fromkeys((_R.ASSERTION_KEY_UNKNOWN, _R.ASSERTION_SIGNATURE), _BAD_CLIENT),
    **dict.fromkeys((_R.ASSERTION_AUDIENCE, _R.ASSERTION_TIME, _R.ASSERTION_MALFORMED), _BAD_CLIENT),
    **dict.fromkeys((_R.USER_UNKNOWN, _R.PASSWORD_WRONG, _R.PASSWORD_EXPIRED), _BAD_USER),
    **dict.fromkeys((_R.ACCOUNT_LOCKED, _R.ACCOUNT_DISABLED), _BAD_USER),
    _R.PARAMETER_MISSING: Wording(400, "invalid_request", None, "The '{}' parameter is missing in the request."),
    _R.GRANT_UNSUPPORTED: Wording(400, "unsupported_grant_type", 9611, "The authorization server does not support the requested 'grant_type' '{}'."),
    _R.APP_UNKNOWN: Wording(400, "invalid_client", 9607, "The 'client_id' parameter in the request is invalid. No registered client is found with this identifier."),
    _R.RESOURCE_UNKNOWN: Wording(400, "invalid_resource", 9602, "The received 'resource' parameter is invalid. The authorization server can not find a registered resource with the specified identifier."),
    _R.DEFAULT_SCOPE_REFUSED: Wording(400, "invalid_grant", 9605, "The client is not allowed to access the requested resource."),
    _R.MFA_REQUIRED: Wording(400, "interaction_required", None, "Additional authentication is required."),
    _R.CONDITIONAL_ACCESS: Wording(400, "access_denied", None, "Access is denied by the access control policy."),
    _R.CONSENT_REQUIRED: Wording(400, "access_denied", None, "Access is denied."),
    _R.REFRESH_TOKEN_INVALID: Wording(400, "invalid_grant", None, "The refresh token received in 'refresh_token' parameter is invalid."),
    _R.DEVICE_PENDING: Wording(400, "authorization_pending", None, "Authorization is pending. Continue polling."),
    _R.DEVICE_DECLINED: Wording(400, "access_denied", None, "The user declined the authorization request."),
    _R.DEVICE_EXPIRED: Wording(400, "expired_token", None, "The device code has expired."),
    _R.DEVICE_CODE_UNKNOWN: Wording(400, "invalid_grant", None, "The device code is invalid."),
    _R.THROTTLED: Wording(429, "temporarily_unavailable", None, "The server is too busy."),
}  # fmt: skip

WORDINGS = {IdentityProvider.AAD: ENTRA, IdentityProvider.ADFS: ADFS}

RETRY_AFTER = {Reason.THROTTLED: "30"}
"""Seconds, for the errors that are temporary."""


def render(error: OAuthError, idp: IdentityProvider, login_origin: str, now: datetime) -> Response:
    """Return the error response of the identity provider."""
    wording = WORDINGS[idp][error.reason]
    match idp:
        case IdentityProvider.AAD:
            document = _entra(wording, error.detail, login_origin, now)
        case IdentityProvider.ADFS:
            prefix = f"MSIS{wording.number}: " if wording.number else ""
            text = prefix + wording.text.format(error.detail)
            document = {"error": wording.error, "error_description": text}
    seconds = RETRY_AFTER.get(error.reason)
    headers = {"Retry-After": seconds} if seconds else None
    return json_response(wording.status, document, headers)


def _entra(wording: Wording, detail: str, login_origin: str, now: datetime) -> dict[str, object]:
    trace, correlation = str(uuid4()), str(uuid4())
    stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
    text = f"AADSTS{wording.number}: {wording.text.format(detail)}"
    return {
        "error": wording.error,
        "error_description": (
            f"{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        ),
        "error_codes": [wording.number],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{login_origin}/error?code={wording.number}",
    }
