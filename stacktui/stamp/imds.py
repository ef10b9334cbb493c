"""The instance metadata service's token endpoint (PROTOCOL.md section 5), over plain HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from stacktui.stamp.directory import ManagedIdentity
from stacktui.stamp.messages import Request, Response, json_response
from stacktui.stamp.signin.service import TokenService

PATH = "/metadata/identity/oauth2/token"
VERSIONS = ("2018-02-01", "2019-08-01", "2020-06-01", "2021-02-01")
LIFETIME = 3599


@dataclass(frozen=True, slots=True)
class _ImdsError(Exception):
    status: int
    error: str
    description: str
    newest_versions: tuple[str, ...] = ()


def respond(
    service: TokenService, identities: tuple[ManagedIdentity, ...], request: Request
) -> Response:
    """Return a token for a managed identity of the VM, or an error in OAuth's form."""
    try:
        _check_form(request)
        identity = _identity(identities, request)
        resource = request.query.get("resource")
        if not resource:
            description = "Required query variable 'resource' is missing"
            raise _ImdsError(400, "invalid_request", description)
        if resource not in service.directory.audiences:
            description = (
                f"AADSTS500011: The resource principal named {resource} was not found in the tenant"
            )
            raise _ImdsError(400, "invalid_resource", description)
    except _ImdsError as refusal:
        document: dict[str, object] = {
            "error": refusal.error,
            "error_description": refusal.description,
        }
        if refusal.newest_versions:
            document["newest-versions"] = refusal.newest_versions
        return json_response(refusal.status, document)
    return json_response(200, _document(service, identity, resource))


def _check_form(request: Request) -> None:
    if request.path != PATH:
        raise _ImdsError(404, "Not found", f"Unsupported path: {request.path[:100]}")
    if request.method != "GET":
        raise _ImdsError(405, "Method not allowed", "The method is not allowed")
    if request.headers.get("metadata", "").lower() != "true":
        raise _ImdsError(400, "invalid_request", "Required metadata header not specified")
    if "x-forwarded-for" in request.headers:
        # A proxy sets this header, and the real service rejects proxied requests.
        raise _ImdsError(400, "invalid_request", "Bad Request: request was forwarded")
    version = request.query.get("api-version")
    if version not in VERSIONS:
        known = ", ".join(reversed(VERSIONS))
        description = f"api-version is missing or not supported; newest versions: {known}"
        raise _ImdsError(400, "bad_request", description, tuple(reversed(VERSIONS)))


def _identity(identities: tuple[ManagedIdentity, ...], request: Request) -> ManagedIdentity:
    """Return the identity with the requested id; without one, the system-assigned identity."""
    client_id = request.query.get("client_id")
    object_id = request.query.get("object_id")
    resource_id = request.query.get("mi_res_id") or request.query.get("msi_res_id")
    for identity in identities:
        known = identity.resource_id
        if client_id or object_id or resource_id:
            if (
                (client_id or "").lower() == identity.client_id
                or (object_id or "").lower() == identity.object_id
                or (resource_id and known and resource_id.lower() == known.lower())
            ):
                return identity
        elif known is None:
            return identity
    if len(identities) > 1 and not (client_id or object_id or resource_id):
        description = (
            "Multiple user assigned identities exist, please specify the clientId / resourceId of "
            "the identity in the token request"
        )
        raise _ImdsError(400, "invalid_request", description)
    raise _ImdsError(400, "invalid_request", "Identity not found")


def _document(service: TokenService, identity: ManagedIdentity, resource: str) -> dict[str, str]:
    """Return the token response; every value is a string, times included."""
    now = service.clock.epoch()
    return {
        "access_token": service.app_token(identity, "2", resource),
        "client_id": identity.client_id,
        "expires_in": str(LIFETIME),
        "expires_on": str(now + LIFETIME),
        "ext_expires_in": str(LIFETIME),
        "not_before": str(now),
        "resource": resource,
        "token_type": "Bearer",
    }
