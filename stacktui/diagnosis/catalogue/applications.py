"""Faults of the application, the tenant and the audience of a token request.

The codes of sign-in services are those of PROTOCOL.md section 2.
"""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.catalogue.foreign_users import (
    FOREIGN_USER,
    FOREIGN_USER_REMEDIES,
    foreign_user,
)
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.entra_commands import fill_in_entra, in_entra
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.message_pattern import MessagePattern, sign_in_code
from stacktui.diagnosis.messages.sign_in import (
    ASSERTION_AUDIENCE,
    INVALID_CLIENT,
    NO_AUTHORITY,
    NO_CREDENTIAL,
    SIGN_IN_404,
    UNAUTHORIZED_CLIENT,
)
from stacktui.diagnosis.refused_user import (
    TAKE_AZURE_CLI_CLIENT,
    USE_APPLICATION,
    is_person,
    refused_user,
    refused_user_lines,
    take_azure_cli_client,
    use_application,
)
from stacktui.diagnosis.remedies import CHECK_TENANT, SET_OWN_TENANT, own_tenant
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.diagnosis.sign_in_facts import (
    CLIENT_ERRORS,
    REFUSAL_ERRORS,
    is_adfs,
    refusal,
    section_of,
    tenant_lines,
)
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef, Identity, IdentityKind
from stacktui.text.sanitize import escape_control_chars

_SHOWN = {"client": "CLIENT-ID", "identity": "the identity"}


# app-not-found

# The application is there, and disabled.
_DISABLED = "AADSTS7000112"
_APP_NOT_FOUND = Refusal(
    frozenset({"AADSTS700016", "AADSTS700038", "MSIS9607", _DISABLED}),
    CLIENT_ERRORS | {"invalid_request"},
)
_ENABLE = in_entra(
    "If it should sign in, an administrator of its directory enables it again",
    "az ad sp update --id {client} --set accountEnabled=true",
    client="CLIENT-ID",
)
_CHECK_CLIENT = RemedyTemplate(
    "Check client_id under {identity}: the application's id", shown=_SHOWN
)
_SEE_APPLICATION = in_entra(
    "See whether the application is there",
    "az ad sp show --id {client}",
    **_SHOWN,
)
_SEE_ADFS_APPLICATIONS = RemedyTemplate(
    "The stamp's operator lists the applications that its AD FS knows, at the privileged endpoint",
    powershell="Invoke-Command -Session $pep { Get-GraphApplication }",
)


def _of_others(failure: FailureContext, identity: Identity) -> tuple[str, ...]:
    """Return whose identity it is, if only other environments of the config name it."""
    environment = failure.environment
    users = [name for name, used in failure.report.target.used if used == identity.name]
    if not users or environment.identity == identity.name:
        return ()
    own = environment.identity
    which = f"that of {environment.name} is {own}" if own else f"{environment.name} names none"
    line = f"{identity.name} is the identity of {', '.join(users)}; {which}"
    return (escape_control_chars(line),)


def _app_not_found(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _APP_NOT_FOUND)
    if refused is None:
        return None
    fault, identity = refused
    client, section = identity.client_id, section_of(identity)
    asked = (*_of_others(failure, identity), f"client_id under {section}: {client}")
    check = _CHECK_CLIENT.fill(identity=section)
    if is_adfs(fault):
        title = f"The stamp's AD FS knows no application {client}"
        remedies = (check, _SEE_ADFS_APPLICATIONS.fill())
        return Explanation(title, (*asked, *fault_lines(fault)), remedies)
    title = f"The directory has no application {client}"
    evidence = (*asked, *tenant_lines(failure, identity), *fault_lines(fault))
    if fault.code == _DISABLED:
        title = f"Application {client} is disabled in the directory"
        return Explanation(
            title, evidence, (fill_in_entra(_ENABLE, fault.authority, client=client), check)
        )
    tenant = own_tenant(failure, identity)
    see = fill_in_entra(_SEE_APPLICATION, fault.authority, client=client)
    return Explanation(title, evidence, (check, tenant, see))


APP_NOT_FOUND = FaultInfo(
    id="app-not-found",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The directory, or the stamp's AD FS, has no such application, or disabled it.",
    distinguishing_evidence=(
        "AADSTS700016 or MSIS9607: the id is mistyped, or the application is in another tenant. "
        "AADSTS7000112: it is there, and disabled. "
        "Where the tenant itself is unknown, it is `tenant-not-found`."
    ),
    az_says=(
        "AADSTS700016: Application with identifier '…' was not found in the directory. … / "
        "MSIS9607: The 'client_id' parameter in the request is invalid. …"
    ),
    patterns={
        INVALID_CLIENT: 42,
        UNAUTHORIZED_CLIENT: 46,
        MessagePattern(
            "the application is unknown",
            r"was not found in the directory|client_id. parameter in the request is invalid",
        ): 80,
    },
    remedies=(
        _CHECK_CLIENT,
        CHECK_TENANT,
        SET_OWN_TENANT,
        _SEE_APPLICATION,
        _ENABLE,
        _SEE_ADFS_APPLICATIONS,
    ),
    refusal=_APP_NOT_FOUND,
    rules=(_app_not_found,),
)


# tenant-not-found

# The tenant that was asked is a generic one (`organizations`), and nothing else names one.
_NOT_NAMED = sign_in_code("AADSTS50059", r"no tenant-identifying")
_TENANT_NOT_FOUND = Refusal(
    frozenset({"AADSTS90002", "AADSTS900023", _NOT_NAMED.code}) | FOREIGN_USER, REFUSAL_ERRORS
)
_NAME_TENANT = RemedyTemplate(
    "Name it under {identity}: tenant = the id or domain of the directory that {who} is in",
    shown=_SHOWN | {"who": "the application"},
)
_SEE_TENANTS = in_entra(
    "See the tenants of your own account",
    "az rest --url '/tenants?api-version=2022-12-01' --query 'value[].[tenantId,displayName]'",
)


def _tenant_not_named(failure: FailureContext) -> Explanation | None:
    """Explain a request that was not sent: Entra's address contains the tenant."""
    fault, identity = failure.fault, failure.identity
    if not isinstance(fault, SignInFault) or identity is None:
        return None
    if fault.problem is not SignInProblem.NO_TENANT:
        return None
    section = section_of(identity)
    evidence = (
        f"{section} has no tenant",
        f"the stamp signs in at {fault.authority} (Entra ID), and its metadata names no tenant",
        "nothing was sent",
    )
    see = fill_in_entra(_SEE_TENANTS, fault.authority)
    remedies = (_NAME_TENANT.fill(identity=section, who=_who(identity)), see)
    return Explanation(f"No tenant is named for {identity.name}", evidence, remedies)


def _tenant_not_found(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _TENANT_NOT_FOUND)
    if refused is None:
        return None
    fault, identity = refused
    if fault.code in FOREIGN_USER:
        return foreign_user(failure, fault, identity)
    asked = fault.authority.rpartition("/")[2]
    evidence = (
        f"asked for the tenant {asked} at {fault.authority}",
        *tenant_lines(failure, identity),
        *fault_lines(fault),
    )
    title, remedy = f"The sign-in service knows no tenant {asked}", own_tenant(failure, identity)
    if fault.code == _NOT_NAMED.code:
        title = "The sign-in service finds no tenant in what it was asked"
        remedy = _NAME_TENANT.fill(identity=section_of(identity), who=_who(identity))
    see = fill_in_entra(_SEE_TENANTS, fault.authority)
    return Explanation(title, evidence, (remedy, see), Side.SIGN_IN)


def _who(identity: Identity) -> str:
    return "the user" if is_person(identity) else "the application"


TENANT_NOT_FOUND = FaultInfo(
    id="tenant-not-found",
    group=Group.TOKEN,
    sides=(Side.BOX, Side.SIGN_IN),
    meaning="The sign-in service knows no such tenant, or the user is not of it.",
    distinguishing_evidence=(
        "AADSTS90002, which MSAL hides behind words of its own, AADSTS50059 where no tenant was "
        "named, AADSTS50020 or 90072 where the user is of another. The report has the tenant that "
        "was asked and the one that the stamp names. An unknown application in a known tenant is "
        "`app-not-found`."
    ),
    az_says=(
        "AADSTS90002: Tenant '…' not found. … / "
        "ValueError: Unable to get authority configuration for …"
    ),
    patterns={
        _NOT_NAMED: 84,
        NO_AUTHORITY: 72,
        SIGN_IN_404: 80,
        MessagePattern("the tenant is unknown", r"tenant .{1,60}not found|invalid tenant id"): 80,
    },
    remedies=(
        SET_OWN_TENANT,
        CHECK_TENANT,
        _NAME_TENANT,
        *FOREIGN_USER_REMEDIES,
        _SEE_TENANTS,
    ),
    refusal=_TENANT_NOT_FOUND,
    rules=(_tenant_not_named, _tenant_not_found),
)


# audience-unknown

_AUDIENCE_UNKNOWN = Refusal(
    frozenset({"AADSTS500011", "MSIS9602"}),
    frozenset({"invalid_resource", "invalid_target", "invalid_request"}),
)
_CHECK_ARM = RemedyTemplate(
    "Check arm under {section}: the audience is of the stamp that it leads to, {arm}",
    shown={"arm": "https://HOST"},
)
_ASK_WHY_UNKNOWN = RemedyTemplate(
    "If it is right, the stamp's operator looks why its AD FS does not know its own ARM: give the "
    "audience above"
)
_REGISTER_STAMP = RemedyTemplate(
    "If the stamp was never registered in this directory, an administrator of it does so (module "
    "AzureStack.Identity of AzureStack-Tools)",
    powershell="Register-AzSWithMyDirectoryTenant -TenantResourceManagerEndpoint {arm} "
    "-DirectoryTenantName {tenant}",
    shown={"arm": "https://HOST"},
)


def _audience_unknown(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _AUDIENCE_UNKNOWN)
    if refused is None:
        return None
    fault, identity = refused
    metadata, arm = failure.metadata, failure.environment.arm
    evidence = [f"the metadata of {arm} gives the audience {metadata.audience}"] if metadata else []
    right_arm = _CHECK_ARM.fill(section=failure.section, arm=arm)
    title = "The sign-in service does not know this stamp"
    if is_adfs(fault):
        evidence += fault_lines(fault)
        return Explanation(title, tuple(evidence), (right_arm, _ASK_WHY_UNKNOWN.fill()))
    tenant = identity.tenant or (metadata.tenant if metadata else None) or ""
    evidence += [*tenant_lines(failure, identity), *fault_lines(fault)]
    register = _REGISTER_STAMP.fill(arm=arm, tenant=tenant)
    remedies = (own_tenant(failure, identity), right_arm, register)
    return Explanation(title, tuple(evidence), remedies)


AUDIENCE_UNKNOWN = FaultInfo(
    id="audience-unknown",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in service does not know this stamp.",
    distinguishing_evidence=(
        "AADSTS500011 or MSIS9602: the audience of the metadata is not registered in this "
        "directory, or arm leads to another stamp. A token that is given for another audience is "
        "`token-audience-mismatch`."
    ),
    az_says=(
        "AADSTS500011: The resource principal named … was not found in the tenant. … / MSIS9602: "
        "The received 'resource' parameter is invalid. …"
    ),
    patterns={
        ASSERTION_AUDIENCE: 50,
        MessagePattern(
            "the audience is unknown",
            r"invalid_resource|invalid_target|resource principal named"
            r"|'resource' parameter is invalid|application named '?[a-z]{3,6}://",
        ): 82,
    },
    remedies=(CHECK_TENANT, SET_OWN_TENANT, _CHECK_ARM, _REGISTER_STAMP, _ASK_WHY_UNKNOWN),
    refusal=_AUDIENCE_UNKNOWN,
    rules=(_audience_unknown,),
)


# adfs-client-not-allowed

_CLIENT_NOT_ALLOWED = Refusal(frozenset({"MSIS9605"}), REFUSAL_ERRORS)
_REGISTER_IN_ADFS = RemedyTemplate(
    "The stamp's operator registers the application at the privileged endpoint, which allows it to "
    "ask for the stamp's ARM; its new id goes to client_id under {identity}",
    powershell="Invoke-Command -Session $pep { New-GraphApplication -Name {name} {proof} }",
    shown=_SHOWN | {"name": "APP", "proof": "-GenerateClientSecret"},
)
_UPDATE_ADFS = RemedyTemplate(
    "If the stamp's build is older than 1.2108.2.130, its AD FS refuses /.default to everybody, "
    "and a device code is asked for with nothing else: until it is updated, an application or a "
    "user's password signs in (kind under {identity})",
    shown=_SHOWN,
)


def _adfs_client_not_allowed(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _CLIENT_NOT_ALLOWED)
    if refused is None:
        return None
    fault, identity = refused
    evidence = (f"application {identity.client_id}", *fault_lines(fault))
    if identity.kind is IdentityKind.DEVICE_CODE:
        title = "The stamp's AD FS gives this application no device code for its ARM"
        update = _UPDATE_ADFS.fill(identity=section_of(identity))
        return Explanation(title, evidence, (update, *take_azure_cli_client(identity)))
    # Some AD FS refuse only the first scope; if both are refused, it is the client.
    if len(set(fault.scopes)) < 2:
        return None
    certificate = isinstance(identity.credential, CertificateRef)
    proof = "-ClientCertificates $using:cert" if certificate else "-GenerateClientSecret"
    remedy = _REGISTER_IN_ADFS.fill(
        identity=section_of(identity), name=identity.name, proof=lambda _: proof
    )
    title = "The stamp's AD FS does not let this application ask for a token of its ARM"
    return Explanation(title, evidence, (remedy,))


ADFS_CLIENT_NOT_ALLOWED = FaultInfo(
    id="adfs-client-not-allowed",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="AD FS does not let this application ask for a token of the stamp's ARM.",
    distinguishing_evidence=(
        "MSIS9605 to both scopes, /.default and /openid, or to the request for a device code. Some "
        "AD FS say so of the first alone, which is no fault here; az tries no second. An "
        "application that AD FS does not know is `app-not-found`."
    ),
    az_says="MSIS9605: The client is not allowed to access the requested resource.",
    patterns={
        UNAUTHORIZED_CLIENT: 40,
        MessagePattern(
            "the client may not have this resource",
            r"client is not allowed to access the requested resource",
        ): 86,
    },
    remedies=(_REGISTER_IN_ADFS, _UPDATE_ADFS, TAKE_AZURE_CLI_CLIENT),
    refusal=_CLIENT_NOT_ALLOWED,
    rules=(_adfs_client_not_allowed,),
)


# app-not-public

_ALLOW_PUBLIC = in_entra(
    "Allow public client flows: in its registration, under Authentication, or with az",
    "az ad app update --id {client} --is-fallback-public-client true",
    client="CLIENT-ID",
)


def _app_not_public(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, APP_NOT_PUBLIC)
    if refused is None:
        return None
    fault, identity = refused
    remedies = (
        fill_in_entra(_ALLOW_PUBLIC, fault.authority, client=identity.client_id),
        *take_azure_cli_client(identity),
        use_application(identity),
    )
    title = f"Application {identity.client_id} is no public client: no user can sign in through it"
    return Explanation(title, refused_user_lines(failure, refused), remedies)


APP_NOT_PUBLIC = FaultInfo(
    id="app-not-public",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The application that a user signs in through is no public client.",
    distinguishing_evidence=(
        "AADSTS7000218 while a user signs in by password or device code: such a sign-in has no "
        "secret of the application's. Where an application signs in itself, it is `secret-missing`."
    ),
    az_says=(
        "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' "
        "or 'client_secret'. …"
    ),
    patterns={NO_CREDENTIAL: 78},
    remedies=(_ALLOW_PUBLIC, TAKE_AZURE_CLI_CLIENT, USE_APPLICATION),
    refusal=Refusal(frozenset({NO_CREDENTIAL.code}), CLIENT_ERRORS),
    rules=(_app_not_public,),
)

FAULTS = (
    APP_NOT_FOUND,
    TENANT_NOT_FOUND,
    AUDIENCE_UNKNOWN,
    ADFS_CLIENT_NOT_ALLOWED,
    APP_NOT_PUBLIC,
)
