"""Messages of sign-in services and of MSAL that several faults share."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern, sign_in_code

# A certificate's assertion: refused for several reasons, and made for another audience.
ASSERTION_REFUSED = sign_in_code("AADSTS700027")
ASSERTION_AUDIENCE = sign_in_code("AADSTS700023")
# The request had neither a secret nor an assertion.
NO_CREDENTIAL = sign_in_code("AADSTS7000218")

NO_AUTHORITY = MessagePattern(
    "the authority does not answer as one", r"unable to get authority configuration"
)

LOGIN_ENDPOINT_NO_HTTPS = MessagePattern(
    "the login endpoint is no https URL", r"should consist of an https url"
)

SECRET_REFUSED = MessagePattern(
    "the secret is refused", r"invalid client secret|client authentication failed"
)

INVALID_CLIENT = MessagePattern("the client is refused", r"invalid_client")

UNAUTHORIZED_CLIENT = MessagePattern("the client is not allowed", r"unauthorized_client")

GRANT_REFUSED = MessagePattern("the grant is refused", r"invalid_grant")

INTERACTION_REQUIRED = MessagePattern("more than a password is asked for", r"interaction_required")

# What comes before the status with which a client's library quotes the sign-in service.
SIGN_IN_STATUS = (
    r"(?:refresh request failed\. status code = '|token: received http status "
    r"|oidc discovery failed on .{1,100}http status: )"
)
SIGN_IN_404 = MessagePattern(
    "the sign-in service has nothing at that address", SIGN_IN_STATUS + "404"
)

IMDS_SILENT = MessagePattern(
    "the managed identity's service does not answer",
    r"failed to connect to msi|msi endpoint is not responding|no response from the imds"
    r"|imds endpoint (?:is )?(?:not available|unavailable)"
    r"|no managed identity (?:endpoint|response)"
    r"|no response (?:received )?from the (?:imds|managed identity)"
    r"|managedidentitycredential.{0,90}gateway error|_token_from_imds"
    r"|could not validate msi endpoint"
    r"|managed ?identity.{0,60}(?:unreachable|timed out|no response)",
)

IMDS_NO_TOKEN = MessagePattern(
    "the managed identity's service gives no token",
    r"msi: failed|unexpected response from imds"
    r"|failed to obtain a token from the managed identity"
    r"|failed to retrieve a token from 'http://169|failed to acquire tokens? after",
)
