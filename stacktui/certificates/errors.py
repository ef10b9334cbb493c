"""The base of what can go wrong about certificates. Light: every command line imports it."""

from __future__ import annotations

from stacktui.errors import StacktuiError


class CertificateError(StacktuiError):
    """Something about certificates that cannot be done as asked."""
