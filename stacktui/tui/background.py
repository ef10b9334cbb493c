"""Work beside the screen, and what is said where it was not done."""

from __future__ import annotations

from stacktui.errors import StacktuiError
from stacktui.transport.background import in_background

__all__ = ["NotDoneError", "in_background"]


class NotDoneError(StacktuiError):
    """Work that was not done; `str()` says why."""
