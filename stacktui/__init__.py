"""stacktui: a terminal dashboard and connectivity check for Azure Stack Hub."""

from __future__ import annotations

__version__ = "0.1.0"
