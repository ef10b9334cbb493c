"""The clouds that can be served."""

from __future__ import annotations

from enum import StrEnum


class Cloud(StrEnum):
    """Azure Stack Hub, or public Azure under its own names."""

    STAMP = "stamp"
    PUBLIC = "public"
