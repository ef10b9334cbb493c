"""A user whom a sign-in service refused, and the remaining ways to sign in."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import Remedy
from stacktui.diagnosis.remedy_template import RemedyTemplate, by_az
from stacktui.diagnosis.sign_in_facts import refusal, section_of, tenant_lines
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import AZURE_CLI, CertificateRef, Identity, IdentityKind

# OAuth's error for a wrong user name or password (RFC 6749 section 5.2).
INVALID_GRANT = frozenset({"invalid_grant"})
RefusedUser = tuple[SignInFault, Identity]


def refused_user(failure: FailureContext, fault: FaultInfo) -> RefusedUser | None:
    """Return the refusal of a user (password or device code) that means `fault`, else None."""
    refused = refusal(failure, fault.refusal) if fault.refusal else None
    return refused if refused and is_person(refused[1]) else None


def adfs_refused_user(failure: FailureContext, error: str) -> RefusedUser | None:
    """Return AD FS's refusal of a user's password with this OAuth error and no code."""
    fault, identity = failure.fault, failure.identity
    if not isinstance(fault, SignInFault) or identity is None or not _is_user(identity):
        return None
    is_refusal = fault.problem is SignInProblem.REFUSED and fault.status in (400, 401, 403)
    numberless = failure.adfs_signs_in and not fault.code
    return (fault, identity) if is_refusal and numberless and fault.error == error else None


def _is_user(identity: Identity) -> bool:
    return identity.kind is IdentityKind.USER


def is_person(identity: Identity) -> bool:
    """Return whether a user signs in, by password or device code, and no application."""
    return identity.kind in (IdentityKind.USER, IdentityKind.DEVICE_CODE)


def who(identity: Identity) -> str:
    if not is_person(identity):
        return f"application {identity.client_id}"
    return identity.username or "whoever typed the code"


def _proof(identity: Identity) -> str:
    if isinstance(identity.credential, CertificateRef):
        return "certificate"
    return identity.secret_name


def refused_user_lines(failure: FailureContext, refused: RefusedUser) -> tuple[str, ...]:
    """Return the evidence: user or application, tenant, and the service's message."""
    fault, identity = refused
    lines = [f"user name: {identity.username}"] if identity.username else []
    if not is_person(identity):
        lines.append(f"application {identity.client_id}")
    if identity.credential:
        lines.append(f"the {_proof(identity)} came from {identity.credential}")
    if not failure.adfs_signs_in:
        lines += tenant_lines(failure, identity)
    return (*lines, *fault_lines(fault))


# Ways in that are left. What the catalogue shows for who it is, and for the table in the config:
WHO = {"who": "the user", "identity": "the identity"}
USE_APPLICATION = RemedyTemplate(
    'For scripts, use an application instead, with kind = "service-principal": what is asked '
    "of people is not asked of it (under {identity})",
    shown=WHO,
)
TAKE_AZURE_CLI_CLIENT = RemedyTemplate(
    "Or take client_id out of {identity}: then it is Azure CLI's", shown=WHO
)
AZ_DEVICE_CODE = by_az(
    "The same with az, where the stamp is its active cloud{in_tenant}",
    "az login --use-device-code{tenant}",
    in_tenant="",
    tenant="",
)


def use_application(identity: Identity) -> Remedy:
    return USE_APPLICATION.fill(identity=section_of(identity))


def take_azure_cli_client(identity: Identity) -> tuple[Remedy, ...]:
    """Sign in with Azure CLI's application; empty if the identity does so already."""
    if identity.client_id == AZURE_CLI:
        return ()
    return (TAKE_AZURE_CLI_CLIENT.fill(identity=section_of(identity)),)


def by_device_code(why: str) -> RemedyTemplate:
    """The config lines that let a person sign in with a browser. Filled by `fill_device_code`."""
    return RemedyTemplate(
        f'{why}: under {{identity}}, set kind = "device-code" and take username and password out',
        shown=WHO,
    )


def fill_device_code(
    template: RemedyTemplate, failure: FailureContext, identity: Identity
) -> tuple[Remedy, ...]:
    """Fill `template` and AZ_DEVICE_CODE; empty if the identity uses a device code already."""
    if not _is_user(identity):
        return ()
    metadata = failure.metadata
    asked = identity.tenant or (metadata.tenant if metadata else None)
    tenant = None if failure.adfs_signs_in else asked
    return (
        template.fill(identity=section_of(identity)),
        AZ_DEVICE_CODE.fill(
            in_tenant=f" (tenant {tenant})" if tenant else "",
            tenant=lambda quote: f" --tenant {quote(tenant)}" if tenant else "",
        ),
    )
