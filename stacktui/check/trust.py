"""The CA files that a check trusts. Light: it comes before the check's heavy imports."""

from __future__ import annotations

from contextlib import suppress

from stacktui.certificates.trust import TrustFileError, TrustUsed, build_context, ca_sources
from stacktui.check.target import CheckTarget
from stacktui.config.locations import own_bundle


def target_ca_sources(target: CheckTarget) -> TrustUsed:
    """Return the CA files that a check of `target` trusts, base first."""
    return ca_sources(target.environment.ca, own_bundle())


def preload_trust(target: CheckTarget) -> None:
    """Load them ahead of the check, which reports what is wrong, and what the machine lacks."""
    with suppress(TrustFileError, OSError, MemoryError):
        build_context(target_ca_sources(target))
