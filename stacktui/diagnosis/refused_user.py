"""A person whom a sign-in service refused: who it is, and the ways in that are left."""

from __future__ import annotations

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import Remedy
from stacktui.diagnosis.remedy_template import RemedyTemplate, by_az
from stacktui.diagnosis.sign_in_facts import refusal, section_of, tenant_lines
from stacktui.diagnosis.words import fault_lines
from stacktui.environments.metadata import IdentityProvider
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import Identity, IdentityKind

# What OAuth calls a user name and a password that do not do (RFC 6749 section 5.2).
INVALID_GRANT = frozenset({"invalid_grant"})
RefusedUser = tuple[SignInFault, Identity]


def refused_user(failure: FailureContext, fault: FaultInfo) -> RefusedUser | None:
    """The refusal that means `fault`, of a user or of whoever types a code."""
    refused = refusal(failure, fault.refusal) if fault.refusal else None
    people = (IdentityKind.USER, IdentityKind.DEVICE_CODE)
    return refused if refused and refused[1].kind in people else None


def adfs_refused_user(failure: FailureContext, error: str) -> RefusedUser | None:
    """A refusal of a user's password by AD FS, which has no number for it."""
    fault, identity = failure.fault, failure.identity
    if not isinstance(fault, SignInFault) or identity is None or not _is_user(identity):
        return None
    is_refusal = fault.problem is SignInProblem.REFUSED and fault.status in (400, 401, 403)
    numberless = adfs_signs_in(failure) and not fault.code
    return (fault, identity) if is_refusal and numberless and fault.error == error else None


def _is_user(identity: Identity) -> bool:
    return identity.kind is IdentityKind.USER


def adfs_signs_in(failure: FailureContext) -> bool:
    metadata = failure.report.metadata
    return metadata is not None and metadata.identity_provider is IdentityProvider.ADFS


def who(identity: Identity) -> str:
    return identity.username or "whoever typed the code"


def refused_user_lines(failure: FailureContext, refused: RefusedUser) -> tuple[str, ...]:
    """The evidence: who signed in with what, at which tenant, and what the service said."""
    fault, identity = refused
    lines = [f"user name: {identity.username}"] if identity.username else []
    if identity.credential:
        lines.append(f"the password came from {identity.credential}")
    if not adfs_signs_in(failure):
        lines += tenant_lines(failure, identity)
    return (*lines, *fault_lines(fault))


# Ways in that are left. What the catalogue shows for who it is, and for the table in the config:
WHO = {"who": "the user", "identity": "the identity"}
USE_APPLICATION = RemedyTemplate(
    'For scripts, use an application instead, with kind = "service-principal": what is asked '
    "of people is not asked of it (under {identity})",
    shown=WHO,
)
AZ_DEVICE_CODE = by_az(
    "The same with az, where the stamp is its active cloud{in_tenant}",
    "az login --use-device-code{tenant}",
    in_tenant="",
    tenant="",
)


def use_application(identity: Identity) -> Remedy:
    return USE_APPLICATION.fill(identity=section_of(identity))


def by_device_code(why: str) -> RemedyTemplate:
    """The config lines that let a person sign in with a browser. Filled by `fill_device_code`."""
    return RemedyTemplate(
        f'{why}: under {{identity}}, set kind = "device-code" and take username and password out',
        shown=WHO,
    )


def fill_device_code(
    template: RemedyTemplate, failure: FailureContext, identity: Identity
) -> tuple[Remedy, ...]:
    """That, and AZ_DEVICE_CODE; nothing for whoever types a code already."""
    if not _is_user(identity):
        return ()
    metadata = failure.report.metadata
    asked = identity.tenant or (metadata.tenant if metadata else None)
    tenant = None if adfs_signs_in(failure) else asked
    return (
        template.fill(identity=section_of(identity)),
        AZ_DEVICE_CODE.fill(
            in_tenant=f" (tenant {tenant})" if tenant else "",
            tenant=lambda quote: f" --tenant {quote(tenant)}" if tenant else "",
        ),
    )
