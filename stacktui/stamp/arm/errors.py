"""ARM's error codes, statuses and messages (PROTOCOL.md section 4), and their JSON form."""

# ruff: noqa: E501 - the table keeps an error on a line

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from stacktui.stamp.messages import Response, json_response


class Code(Enum):
    """Error code, HTTP status, and message with named placeholders."""

    # fmt: off
    AUTHENTICATION_FAILED = ("AuthenticationFailed", 401, "Authentication failed. {reason}")
    TOKEN_INVALID = ("InvalidAuthenticationToken", 401, "The access token is invalid. {reason}")
    TOKEN_AUDIENCE = ("InvalidAuthenticationTokenAudience", 401, "The access token has been obtained for wrong audience or resource '{audience}'. It should exactly match with one of the allowed audiences '{allowed}'.")
    TOKEN_TENANT = ("InvalidAuthenticationTokenTenant", 401, "The access token is from the wrong issuer '{issuer}'. It must match the tenant '{expected}' associated with this subscription. Please use the authority (URL) '{authority}' to get the token.")
    TOKEN_EXPIRED = ("ExpiredAuthenticationToken", 401, "The access token expiry UTC time '{expiry}' is earlier than current UTC time '{now}'.")
    AUTHORIZATION_FAILED = ("AuthorizationFailed", 403, "The client '{client}' with object id '{object_id}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.")
    API_VERSION_MISSING = ("MissingApiVersionParameter", 400, "The api-version query parameter (?api-version=) is required for all requests.")
    API_VERSION_INVALID = ("InvalidApiVersionParameter", 400, "The api-version '{version}' is invalid. The supported versions are '{supported}'.")
    NO_PROVIDER = ("NoRegisteredProviderFound", 400, "No registered resource provider found for location '{location}' and API version '{version}' for type '{type}'. The supported api-versions are '{supported}'. The supported locations are '{location}'.")
    NAMESPACE_INVALID = ("InvalidResourceNamespace", 404, "The resource namespace '{namespace}' is invalid.")
    SUBSCRIPTION_ID = ("InvalidSubscriptionId", 400, "The provided subscription identifier '{id}' is malformed or invalid.")
    SUBSCRIPTION_NOT_FOUND = ("SubscriptionNotFound", 404, "The subscription '{id}' could not be found.")
    SUBSCRIPTION_DISABLED = ("DisabledSubscription", 409, "The subscription '{id}' is disabled. You cannot use this subscription until it is re-enabled.")
    GROUP_NOT_FOUND = ("ResourceGroupNotFound", 404, "Resource group '{name}' could not be found.")
    GROUP_BEING_DELETED = ("ResourceGroupBeingDeleted", 409, "The resource group '{name}' is in deprovisioning state and cannot perform this operation.")
    GROUP_NAME = ("InvalidResourceGroup", 400, "The provided resource group name '{name}' is not valid. It is 1 to 90 of letters, digits, '-', '.', '(', ')' and '_', and does not end with '.'.")
    GROUP_LOCATION = ("InvalidResourceGroupLocation", 409, "Invalid resource group location '{location}'. The Resource group already exists in location '{existing}'.")
    LOCATION_REQUIRED = ("LocationRequired", 400, "The location property is required for this definition.")
    LOCATION_UNAVAILABLE = ("LocationNotAvailableForResourceGroup", 400, "The provided location '{location}' is not available for resource group. List of available regions is '{available}'.")
    CONTENT = ("InvalidRequestContent", 400, "The request content was invalid and could not be deserialized: '{reason}'.")
    FILTER = ("InvalidFilterInQueryString", 400, "Invalid $filter '{filter}' specified in the query string.")
    SKIP_TOKEN = ("InvalidSkipToken", 400, "The $skiptoken is not valid.")
    TOP = ("InvalidTopParameter", 400, "The $top '{top}' is not a positive number.")
    QUOTA = ("ResourceGroupQuotaExceeded", 409, "Creating the resource group '{name}' would exceed the quota of '{quota}'.")
    NOT_FOUND = ("HttpResourceNotFound", 404, "The request url '{path}' is not found.")
    METHOD = ("HttpMethodNotSupported", 405, "The requested resource does not support http method '{method}'.")
    # fmt: on


@dataclass
class CloudError(Exception):
    """ARM's error response, as the SDKs call it; `blanks` fill the message's placeholders."""

    code: Code
    blanks: Mapping[str, object]
    headers: Mapping[str, str] | None = None

    def __init__(
        self, code: Code, headers: Mapping[str, str] | None = None, **blanks: object
    ) -> None:
        self.code, self.blanks, self.headers = code, blanks, headers
        super().__init__(code.name)

    def response(self) -> Response:
        """Return the error as ARM sends it."""
        name, status, template = self.code.value
        message = template.format(**self.blanks).strip()
        return json_response(status, {"error": {"code": name, "message": message}}, self.headers)
