"""Work beside the screen, and what is said where it was not done."""

from __future__ import annotations

from stacktui.transport.background import in_background

__all__ = ["Refused", "in_background"]


class Refused(Exception):  # noqa: N818 - it is no defect
    """Work that was not done, for a reason to tell: `str()` is one line, safe to show."""
