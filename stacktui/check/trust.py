"""The trust of a check, found before the check's heavy imports."""

from __future__ import annotations

from contextlib import suppress

from stacktui.certificates.trust import TrustFileError, TrustUsed, build_context, sources_for
from stacktui.check.target import Target
from stacktui.config.locations import own_bundle


def trust_of(target: Target) -> TrustUsed:
    """The certificate files that a check of `target` trusts."""
    return sources_for(target.environment.ca, own_bundle())


def preload_trust(target: Target) -> None:
    """Load them ahead of the check. A file that cannot be used is the check's to tell."""
    with suppress(TrustFileError):
        build_context(trust_of(target))
