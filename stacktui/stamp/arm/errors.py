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
    EXECUTION = ("InternalExecutionError", 500, "An internal execution error occurred. Please retry later.")
    DELETION_BLOCKED = ("ResourceGroupDeletionBlocked", 409, "Deletion failed as resources could not be deleted. The provisioning state will be rolled back. The tracking Id is '{name}'. Please check audit logs for more details.")
    SCOPE_LOCKED = ("ScopeLocked", 409, "The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: '{locked}'. Please remove the lock and try again.")
    LOCK_NOT_FOUND = ("LockNotFound", 404, "The lock '{name}' could not be found.")
    LOCK_LEVEL = ("InvalidLockLevel", 400, "The lock level '{level}' is not one of 'CanNotDelete' and 'ReadOnly'.")
    DEPLOYMENT_NOT_FOUND = ("DeploymentNotFound", 404, "Deployment '{name}' could not be found.")
    UNREGISTERED = ("MissingSubscriptionRegistration", 409, "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions.")
    RESOURCE_TYPE = ("InvalidResourceType", 404, "The resource type '{type}' could not be found in the namespace '{namespace}' for api version '{version}'.")
    RESOURCE_NOT_FOUND = ("ResourceNotFound", 404, "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix")
    IDENTITY_OPERATION = ("FailedIdentityOperation", 400, "Identity operation for resource '{id}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. {reason}'.")
    ASSIGNMENT_ID = ("InvalidRoleAssignmentId", 400, "The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.")
    ASSIGNMENT_EXISTS = ("RoleAssignmentExists", 409, "The role assignment already exists.")
    ASSIGNMENT_UPDATE = ("RoleAssignmentUpdateNotPermitted", 409, "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
    ASSIGNMENT_NOT_FOUND = ("RoleAssignmentNotFound", 404, "The role assignment '{name}' is not found.")
    DEFINITION_NOT_FOUND = ("RoleDefinitionDoesNotExist", 404, "The specified role definition with ID '{name}' does not exist.")
    PRINCIPAL_NOT_FOUND = ("PrincipalNotFound", 400, "Principal {principal} does not exist in the directory {tenant}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.")
    ARTIFACT_NOT_FOUND = ("NotFound", 404, "Artifact: {artifact} was not found.")
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
        return json_response(self.code.value[1], self.document(), self.headers)

    def document(self) -> dict[str, object]:
        name, _, template = self.code.value
        message = template.format(**self.blanks).strip()
        return {"error": {"code": name, "message": message}}
