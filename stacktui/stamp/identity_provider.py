"""The two identity providers that a stamp can be deployed with."""

from __future__ import annotations

from enum import StrEnum


class IdentityProvider(StrEnum):
    """The service that users and service principals sign in to (PROTOCOL.md section 2)."""

    AAD = "aad"
    ADFS = "adfs"
