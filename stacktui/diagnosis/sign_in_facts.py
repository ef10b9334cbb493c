"""What a failed check says of its sign-in: who was refused and how, and which service it was."""

from __future__ import annotations

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Refusal
from stacktui.environments.metadata import IdentityProvider
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import Identity
from stacktui.text.shell import toml_table

# What OAuth has for a client that cannot prove who it is (RFC 6749 section 5.2).
CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})
_REFUSED = frozenset({SignInProblem.REFUSED, SignInProblem.DISCOVERY})
# How Entra says that a certificate is not the application's, whatever the clock says.
_KEY_NOT_FOUND = "key was not found"


def refusal(failure: FailureContext, expected: Refusal) -> tuple[SignInFault, Identity] | None:
    """The refusal, if it is the expected one, and who was refused.

    The code alone does not decide: a message may quote one that is not the verdict.
    """
    fault, identity = failure.fault, failure.identity
    if not isinstance(fault, SignInFault) or identity is None or fault.problem not in _REFUSED:
        return None
    as_refused = fault.status in (400, 401) and fault.error in expected.errors
    return (fault, identity) if as_refused and fault.code in expected.codes else None


def certificate_unknown(fault: SignInFault) -> bool:
    """Whether the service says that the certificate itself is not the application's."""
    return fault.code == "AADSTS700027" and _KEY_NOT_FOUND in fault.description


def is_adfs(fault: SignInFault) -> bool:
    """Whether the code is one of AD FS's."""
    return fault.code.startswith("MSIS")


def adfs_signs_in(failure: FailureContext) -> bool:
    """Whether the stamp says that AD FS signs its users in."""
    metadata = failure.report.metadata
    return metadata is not None and metadata.identity_provider is IdentityProvider.ADFS


def section_of(identity: Identity) -> str:
    """The header of the identity's table in the config."""
    return toml_table("identities", identity.name)


def tenant_lines(failure: FailureContext, identity: Identity) -> list[str]:
    """The tenant that was asked, and the stamp's own where it names one."""
    metadata = failure.report.metadata
    own = metadata.tenant if metadata else None
    lines = [f"tenant under {section_of(identity)}: {identity.tenant}"] if identity.tenant else []
    return lines + ([f"the stamp's metadata names the tenant {own}"] if own else [])
