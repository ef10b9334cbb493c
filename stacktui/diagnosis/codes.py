"""The codes of the sign-in services' refusals: Entra's AADSTS and AD FS's MSIS, by fault.

PROTOCOL.md section 2. Light to import: rules and `explain` read it alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One verdict of a sign-in service: its codes, and the OAuth errors they come with."""

    codes: frozenset[str]
    errors: frozenset[str]


def _row(errors: frozenset[str], *codes: str) -> Refusal:
    return Refusal(frozenset(codes), errors)


# What OAuth has for a client that cannot prove who it is (RFC 6749 section 5.2).
_CLIENT = frozenset({"invalid_client", "unauthorized_client"})
_RESOURCE = frozenset({"invalid_resource", "invalid_target", "invalid_request"})
_TENANT = frozenset({"invalid_request", "invalid_tenant"})
_NOT_ALLOWED = frozenset({"invalid_grant", "access_denied", "unauthorized_client"})
_USER = frozenset({"invalid_grant"})
_EXPIRED = frozenset({"expired_token"})
_INTERACTION = frozenset({"interaction_required", "invalid_grant", "access_denied"})
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
    # AD FS does not tell a user who is not there from a wrong password, nor from a locked account.
    "password-wrong": _row(_USER, "AADSTS50126", "AADSTS50034", "MSIS9659"),
    "account-locked": _row(_USER, "AADSTS50053"),
    "account-disabled": _row(_USER, "AADSTS50057"),
    "password-expired": _row(_USER, "AADSTS50055"),
    "mfa-required": _row(_INTERACTION, "AADSTS50076", "AADSTS50079"),
    "conditional-access": _row(_INTERACTION, "AADSTS53003"),
    "consent-required": _row(_INTERACTION, "AADSTS65001"),
    "device-code-expired": _row(_EXPIRED, "AADSTS70019"),
}
