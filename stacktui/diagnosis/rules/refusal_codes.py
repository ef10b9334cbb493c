"""The codes of refusals whose faults are rules still (`diagnosis.codes` has all)."""

from __future__ import annotations

from collections.abc import Mapping

from stacktui.diagnosis.fault import Refusal


def _row(errors: frozenset[str], *codes: str) -> Refusal:
    return Refusal(frozenset(codes), errors)


# What OAuth has for a client that cannot prove who it is (RFC 6749 section 5.2).
_CLIENT = frozenset({"invalid_client", "unauthorized_client"})
_RESOURCE = frozenset({"invalid_resource", "invalid_target", "invalid_request"})
_TENANT = frozenset({"invalid_request", "invalid_tenant"})
_NOT_ALLOWED = frozenset({"invalid_grant", "access_denied", "unauthorized_client"})
# AD FS says "client authentication failed" of a wrong secret, an expired one and a rejected
# certificate alike: what the identity signs in with tells them apart.
_BAD_CREDENTIAL = ("MSIS9612", "MSIS9622")

REFUSALS: Mapping[str, Refusal] = {
    "sp-secret-wrong": _row(_CLIENT, "AADSTS7000215", *_BAD_CREDENTIAL),
    "sp-secret-expired": _row(_CLIENT, "AADSTS7000222"),
    "sp-cert-rejected": _row(_CLIENT, "AADSTS700027", *_BAD_CREDENTIAL),
    "app-not-found": _row(_CLIENT | {"invalid_request"}, "AADSTS700016", "MSIS9607"),
    "tenant-not-found": _row(_TENANT, "AADSTS90002"),
    "audience-unknown": _row(_RESOURCE, "AADSTS500011", "MSIS9602"),
    "adfs-client-not-allowed": _row(_NOT_ALLOWED, "MSIS9605"),
}
