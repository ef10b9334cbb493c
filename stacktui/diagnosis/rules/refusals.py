"""What the sign-in service says when it refuses: a table of its codes, and what mends each."""

from __future__ import annotations

from stacktui.diagnosis.clocks import clock_line, is_skewed
from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.fault import Refusal
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import put_secret
from stacktui.diagnosis.rules.refusal_codes import REFUSALS
from stacktui.diagnosis.shell import bash, for_az, powershell, toml, toml_table
from stacktui.diagnosis.words import fault_lines
from stacktui.environments.metadata import Metadata
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef, Identity, IdentityKind

# PROTOCOL.md section 2.
_SECRET_WRONG = REFUSALS["sp-secret-wrong"]
_SECRET_EXPIRED = REFUSALS["sp-secret-expired"]
_CERT_REJECTED = REFUSALS["sp-cert-rejected"]
_APP_NOT_FOUND = REFUSALS["app-not-found"]
_TENANT_NOT_FOUND = REFUSALS["tenant-not-found"]
_AUDIENCE_UNKNOWN = REFUSALS["audience-unknown"]
_CLIENT_NOT_ALLOWED = REFUSALS["adfs-client-not-allowed"]
_REFUSED = frozenset({SignInProblem.REFUSED, SignInProblem.DISCOVERY})
# How Entra says that a certificate is not the application's, whatever the clock says.
_KEY_NOT_FOUND = "key was not found"


def refusal(case: FailureContext, expected: Refusal) -> tuple[SignInFault, Identity] | None:
    """The refusal, if it is the expected one, and who was refused.

    The code alone does not tell: words may quote one that is not the verdict.
    """
    fault, identity = case.fault, case.identity
    if not isinstance(fault, SignInFault) or identity is None or fault.problem not in _REFUSED:
        return None
    told = fault.status in (400, 401) and fault.error in expected.errors
    return (fault, identity) if told and fault.code in expected.codes else None


def is_adfs(fault: SignInFault) -> bool:
    """Whether the code is one of AD FS's."""
    return fault.code.startswith("MSIS")


def metadata_of(case: FailureContext) -> Metadata | None:
    """What the stamp said of itself in this check."""
    results = (step.evidence.result for step in case.report.steps)
    return next((each for each in results if isinstance(each, Metadata)), None)


def section_of(identity: Identity) -> str:
    """The header of the identity's table in the config."""
    return toml_table("identities", identity.name)


def tenant_lines(case: FailureContext, identity: Identity) -> list[str]:
    """The tenant that was asked, and the stamp's own where it names one."""
    metadata = metadata_of(case)
    own = metadata.tenant if metadata else None
    lines = [f"tenant under {section_of(identity)}: {identity.tenant}"] if identity.tenant else []
    return lines + ([f"the stamp's metadata names the tenant {own}"] if own else [])


def _tenant_remedy(case: FailureContext, identity: Identity) -> Remedy:
    metadata = metadata_of(case)
    own = metadata.tenant if metadata else None
    if own and identity.tenant and own.lower() != identity.tenant.lower():
        return Remedy(
            f"Set the stamp's own tenant under {section_of(identity)}: tenant = {toml(own)}"
        )
    return Remedy(
        f"Check tenant under {section_of(identity)}: the id or domain of the directory that the "
        "application is in, as the portal's overview of the directory shows it"
    )


def _new_secret(fault: SignInFault, client: str, when: str) -> Remedy:
    if is_adfs(fault):
        # AD FS keeps applications where only the operator's privileged endpoint reaches them.
        return Remedy(
            "If it is the right secret, the stamp's operator makes a new one at the privileged "
            "endpoint",
            powershell="Invoke-Command -Session $pep { Set-GraphApplication "
            f"-ApplicationIdentifier {powershell(client)} -ResetClientSecret }}",
        )
    return Remedy(
        f"{when} a new secret for application {client}, and put it there",
        *for_az(lambda quote: f"az ad app credential reset --id {quote(client)} --append"),
    )


@rule(
    "sp-secret-wrong",
    Side.SIGN_IN,
    "AADSTS7000215: Invalid client secret provided. … / MSIS9622: Client authentication failed. …",
)
def sp_secret_wrong(case: FailureContext) -> Explained | None:
    refused = refusal(case, _SECRET_WRONG)
    if refused is None or isinstance(refused[1].credential, CertificateRef):
        return None
    if refused[1].kind is not IdentityKind.SERVICE_PRINCIPAL:
        return None  # no secret of an application's was sent
    fault, identity = refused
    evidence = (f"the secret came from {identity.credential}", *fault_lines(fault))
    if fault.secret_looks_like_id:
        evidence = ("what was sent has the form of an id, not of a secret", *evidence)
    client = identity.client_id
    remedies: tuple[Remedy, ...] = (
        *put_secret(identity.credential, "right secret"),
        _new_secret(fault, client, "Else make"),
    )
    if not is_adfs(fault):
        trap = "Check that the secret's value was pasted, not its id: the portal shows both, "
        remedies = (Remedy(f"{trap}and the value only once"), *remedies)
    title = "The sign-in service refuses the application's secret"
    return title, (f"application {client}", *evidence), remedies


@rule(
    "sp-secret-expired",
    Side.SIGN_IN,
    "AADSTS7000222: The provided client secret keys for app '…' are expired. …",
)
def sp_secret_expired(case: FailureContext) -> Explained | None:
    refused = refusal(case, _SECRET_EXPIRED)
    if refused is None:
        return None
    fault, identity = refused
    client = identity.client_id
    evidence = (
        f"application {client}",
        f"the secret came from {identity.credential}",
        *fault_lines(fault),
    )
    remedies = (
        _new_secret(fault, client, "Make"),
        *put_secret(identity.credential, "new secret"),
        Remedy(
            f"See when the secrets of application {client} end",
            *for_az(
                lambda quote: (
                    f"az ad app credential list --id {quote(client)} "
                    "--query '[].[displayName,endDateTime]'"
                )
            ),
        ),
    )
    return "The application's secret has expired", evidence, remedies


@rule(
    "sp-cert-rejected",
    Side.SIGN_IN,
    "AADSTS700027: The certificate with identifier used to sign the client assertion is not "
    "registered on application. … / MSIS9622: Client authentication failed. …",
)
def sp_cert_rejected(case: FailureContext) -> Explained | None:
    refused = refusal(case, _CERT_REJECTED)
    if refused is None:
        return None
    fault, identity = refused
    reference = identity.credential
    if not isinstance(reference, CertificateRef) or (
        is_skewed(case.last) and not certificate_unknown(fault)
    ):
        return None  # an assertion of another time is refused in the same words: clock-skew
    evidence = [f"application {identity.client_id}", f"it signed in with {reference}"]
    if fault.thumbprint:
        kind = "SHA-1" if is_adfs(fault) else "SHA-256"
        evidence.append(
            f"the certificate that was sent has the {kind} thumbprint {fault.thumbprint}"
        )
    evidence += [*clock_line(case.last), *fault_lines(fault)]
    title = "The sign-in service does not take the application's certificate"
    return title, tuple(evidence), _cert_remedies(fault, identity.client_id, str(reference.path))


def certificate_unknown(fault: SignInFault) -> bool:
    """Whether the service says that the certificate itself is not the application's."""
    return fault.code == "AADSTS700027" and _KEY_NOT_FOUND in fault.description


def _cert_remedies(fault: SignInFault, client: str, path: str) -> tuple[Remedy, ...]:
    public = f"{path}.crt"
    compare = Remedy(
        "Compare its dates and SHA-1 thumbprint, the one that portals show, with those of the "
        "application's certificates",
        f"openssl x509 -in {bash(path)} -noout -fingerprint -sha1 -subject -dates",
        f"openssl x509 -in {powershell(path)} -noout -fingerprint -sha1 -subject -dates",
    )
    if is_adfs(fault):
        return (
            compare,
            Remedy(
                "If it is another, the stamp's operator registers this one at the privileged "
                "endpoint, from a file of the certificate without its key",
                powershell="$cert = [Security.Cryptography.X509Certificates.X509Certificate2]::new("
                f"{powershell(public)}); Invoke-Command -Session $pep {{ Set-GraphApplication "
                f"-ApplicationIdentifier {powershell(client)} -ClientCertificates $using:cert }}",
            ),
        )
    taken_out = "openssl x509 -in {} -out {}"
    added = for_az(
        lambda quote: (
            f"az ad app credential reset --id {quote(client)} --cert {quote('@' + public)} --append"
        )
    )
    return (
        compare,
        Remedy(
            f"If it is not there, add it (without its key) to application {client}",
            f"{taken_out.format(bash(path), bash(public))} && {added[0]}",
            f"{taken_out.format(powershell(path), powershell(public))}; {added[1]}"
            if added[1]
            else "",
        ),
    )


@rule(
    "app-not-found",
    Side.SIGN_IN,
    "AADSTS700016: Application with identifier '…' was not found in the directory. … / "
    "MSIS9607: The 'client_id' parameter in the request is invalid. …",
)
def app_not_found(case: FailureContext) -> Explained | None:
    refused = refusal(case, _APP_NOT_FOUND)
    if refused is None:
        return None
    fault, identity = refused
    client = identity.client_id
    evidence = [f"client_id under {section_of(identity)}: {client}"]
    check = Remedy(f"Check client_id under {section_of(identity)}: the application's id")
    if is_adfs(fault):
        remedies = [
            check,
            Remedy(
                "The stamp's operator lists the applications that its AD FS knows, at the "
                "privileged endpoint",
                powershell="Invoke-Command -Session $pep { Get-GraphApplication }",
            ),
        ]
        return (
            f"The stamp's AD FS knows no application {client}",
            (
                *evidence,
                *fault_lines(fault),
            ),
            tuple(remedies),
        )
    remedies = [
        check,
        _tenant_remedy(case, identity),
        Remedy(
            "Signed in to that directory with az: see whether the application is there",
            *for_az(lambda quote: f"az ad sp show --id {quote(client)}"),
        ),
    ]
    evidence += [*tenant_lines(case, identity), *fault_lines(fault)]
    return f"The directory has no application {client}", tuple(evidence), tuple(remedies)


@rule("tenant-not-found", Side.SIGN_IN, "AADSTS90002: Tenant '…' not found. …")
def tenant_not_found(case: FailureContext) -> Explained | None:
    refused = refusal(case, _TENANT_NOT_FOUND)
    if refused is None:
        return None
    fault, identity = refused
    asked = fault.authority.rpartition("/")[2]
    evidence = (
        f"asked for the tenant {asked} at {fault.authority}",
        *tenant_lines(case, identity),
        *fault_lines(fault),
    )
    return (
        f"The sign-in service knows no tenant {asked}",
        evidence,
        (
            _tenant_remedy(case, identity),
            Remedy(
                "See the tenants of your own account",
                "az account tenant list",
                "az account tenant list",
            ),
        ),
    )


# Before anybody was asked: Entra is asked at an address that has the tenant in it.
@rule("tenant-not-found", Side.BOX, "ValueError: Unable to get authority configuration for …")
def tenant_not_named(case: FailureContext) -> Explained | None:
    fault, identity = case.fault, case.identity
    if not isinstance(fault, SignInFault) or identity is None:
        return None
    if fault.problem is not SignInProblem.NO_TENANT:
        return None
    evidence = (
        f"{section_of(identity)} has no tenant",
        f"the stamp signs in at {fault.authority} (Entra ID), and its metadata names no tenant",
        "nothing was sent",
    )
    remedies = (
        Remedy(
            f"Name it under {section_of(identity)}: tenant = the id or domain of the directory "
            "that the application is in"
        ),
        Remedy(
            "See the tenants of your own account",
            "az account tenant list",
            "az account tenant list",
        ),
    )
    return f"No tenant is named for {identity.name}", evidence, remedies


@rule(
    "audience-unknown",
    Side.SIGN_IN,
    "AADSTS500011: The resource principal named … was not found in the tenant. … / MSIS9602: The "
    "received 'resource' parameter is invalid. …",
)
def audience_unknown(case: FailureContext) -> Explained | None:
    refused = refusal(case, _AUDIENCE_UNKNOWN)
    if refused is None:
        return None
    fault, identity = refused
    metadata = metadata_of(case)
    evidence = (
        [f"the metadata of {case.environment.arm} gives the audience {metadata.audience}"]
        if metadata
        else []
    )
    right_arm = Remedy(
        f"Check arm under {case.section}: the audience is of the stamp that it leads to, "
        f"{case.environment.arm}"
    )
    title = "The sign-in service does not know this stamp"
    if is_adfs(fault):
        operator = Remedy(
            "If it is right, the stamp's operator looks why its AD FS does not know its own ARM: "
            "give the audience above"
        )
        return title, (*evidence, *fault_lines(fault)), (right_arm, operator)
    tenant = identity.tenant or (metadata.tenant if metadata else None) or ""
    register = Remedy(
        "If the stamp was never registered in this directory, an administrator of it does so "
        "(module AzureStack.Identity of AzureStack-Tools)",
        powershell="Register-AzSWithMyDirectoryTenant -TenantResourceManagerEndpoint "
        f"{powershell(case.environment.arm)} -DirectoryTenantName {powershell(tenant)}",
    )
    evidence += [*tenant_lines(case, identity), *fault_lines(fault)]
    remedies = (_tenant_remedy(case, identity), right_arm, register)
    return title, tuple(evidence), remedies


@rule(
    "adfs-client-not-allowed",
    Side.SIGN_IN,
    "MSIS9605: The client is not allowed to access the requested resource.",
)
def adfs_client_not_allowed(case: FailureContext) -> Explained | None:
    refused = refusal(case, _CLIENT_NOT_ALLOWED)
    # Some AD FS say so of the first scope alone: only both tell of the client.
    if refused is None or len(set(refused[0].scopes)) < 2:
        return None
    fault, identity = refused
    evidence = (f"application {identity.client_id}", *fault_lines(fault))
    certificate = isinstance(identity.credential, CertificateRef)
    proof = "-ClientCertificates $using:cert" if certificate else "-GenerateClientSecret"
    remedy = Remedy(
        "The stamp's operator registers the application at the privileged endpoint, which allows "
        f"it to ask for the stamp's ARM; its new id goes to client_id under {section_of(identity)}",
        powershell="Invoke-Command -Session $pep { New-GraphApplication "
        f"-Name {powershell(identity.name)} {proof} }}",
    )
    title = "The stamp's AD FS does not let this application ask for a token of its ARM"
    return title, evidence, (remedy,)


RULES: tuple[Rule[FailureContext], ...] = (
    sp_secret_wrong,
    sp_secret_expired,
    sp_cert_rejected,
    app_not_found,
    tenant_not_named,
    tenant_not_found,
    audience_unknown,
    adfs_client_not_allowed,
)
