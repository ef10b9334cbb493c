"""Facts of a refused sign-in: the identity, the refusal, and the service."""

from __future__ import annotations

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Refusal
from stacktui.diagnosis.messages.sign_in import ASSERTION_REFUSED
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import Identity
from stacktui.text.shell import toml_table

# OAuth's errors for a client that fails to authenticate (RFC 6749 section 5.2).
CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})
# All that a service may call a refusal, for codes that mean one thing whatever stands beside them.
REFUSAL_ERRORS = CLIENT_ERRORS | {
    "access_denied",
    "interaction_required",
    "invalid_grant",
    "invalid_request",
    "invalid_resource",
    "invalid_tenant",
}
# AD FS reports a wrong secret, an expired one and a rejected certificate with the same codes;
# the identity's kind of credential distinguishes them.
ADFS_BAD_CREDENTIAL = frozenset({"MSIS9612", "MSIS9622"})
_REFUSED = frozenset({SignInProblem.REFUSED, SignInProblem.DISCOVERY})
# Entra's words for a certificate that is not the application's, whatever the clock.
_KEY_NOT_FOUND = "key was not found"


def refusal(failure: FailureContext, expected: Refusal) -> tuple[SignInFault, Identity] | None:
    """Return the refusal and the refused identity if the refusal is the expected one, else None.

    The code alone does not decide: a message may quote one that is not the error itself.
    """
    fault, identity = failure.fault, failure.identity
    if not isinstance(fault, SignInFault) or identity is None or fault.problem not in _REFUSED:
        return None
    as_refused = fault.status in (400, 401, 403) and fault.error in expected.errors
    return (fault, identity) if as_refused and fault.code in expected.codes else None


def certificate_unknown(fault: SignInFault) -> bool:
    """Return whether the service says that the certificate is not the application's."""
    return fault.code == ASSERTION_REFUSED.code and _KEY_NOT_FOUND in fault.description


def is_adfs(fault: SignInFault) -> bool:
    """Return whether the code is one of AD FS's."""
    return fault.code.startswith("MSIS")


def section_of(identity: Identity) -> str:
    """Return the header of the identity's table in the config."""
    return toml_table("identities", identity.name)


def tenant_lines(failure: FailureContext, identity: Identity) -> list[str]:
    """Return the tenant that was asked, and the stamp's own if the metadata names one."""
    metadata = failure.metadata
    own = metadata.tenant if metadata else None
    lines = [f"tenant under {section_of(identity)}: {identity.tenant}"] if identity.tenant else []
    return lines + ([f"the stamp's metadata names the tenant {own}"] if own else [])
