"""Which sign-in service a stamp has; everything about it depends on that."""

from __future__ import annotations

from enum import StrEnum


class IdentityProvider(StrEnum):
    """Who signs users and service principals in (PROTOCOL.md section 2)."""

    AAD = "aad"
    ADFS = "adfs"
