"""The CA files that a check trusts. Light: it comes before the check's heavy imports."""

from __future__ import annotations

from contextlib import suppress

from stacktui.certificates.trust import TrustFileError, TrustUsed, build_context, sources_for
from stacktui.check.target import Target
from stacktui.config.locations import own_bundle


def trust_of(target: Target) -> TrustUsed:
    """Return the CA files that a check of `target` trusts, base first."""
    return sources_for(target.environment.ca, own_bundle())


def preload_trust(target: Target) -> None:
    """Load them ahead of the check, which reports a file that cannot be used."""
    with suppress(TrustFileError):
        build_context(trust_of(target))
