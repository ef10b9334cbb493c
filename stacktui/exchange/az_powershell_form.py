"""The form of Az PowerShell: `Add-AzEnvironment` and `Connect-AzAccount`."""

from __future__ import annotations

from collections.abc import Iterator

from stacktui.environments.profiles import PUBLIC_PROFILE
from stacktui.exchange.connection import Connection
from stacktui.exchange.shells import Shell, comment, read_in_powershell
from stacktui.identities.model import EnvSecret, FileSecret, IdentityKind
from stacktui.text.shell import powershell

# The modules that have a profile: of Az the later two, of AzureRM the earlier.
_MODULES = {
    "2020-09-01-hybrid": "Install-Module Az.BootStrapper; Install-AzProfile -Profile {} -Force",
    "2019-03-01-hybrid": "Install-Module Az.BootStrapper; Install-AzProfile -Profile {} -Force",
    "2018-03-01-hybrid": "only the AzureRM modules know {}",
    "2017-03-09-profile": "only the AzureRM modules know {}",
}


def render(connection: Connection) -> str:
    """Return the commands. The certificate must be a PFX for them."""
    name = powershell(connection.built_in or connection.environment.name)
    profile = connection.environment.profile
    lines = [connection.heading(Shell.POWERSHELL)]
    if profile != PUBLIC_PROFILE:
        modules = _MODULES[profile].format(profile)
        lines.append(comment(Shell.POWERSHELL, f"Modules of its profile: {modules}"))
    if not connection.built_in:
        arm = powershell(connection.environment.arm)
        lines.append(f"Add-AzEnvironment -Name {name} -ArmEndpoint {arm}")
    lines += _credential(connection)
    words = ["Connect-AzAccount", "-Environment", name, *_account(connection)]
    tenant = "" if connection.kind is IdentityKind.MANAGED_IDENTITY else connection.tenant
    for option, value in (("-Tenant", tenant), ("-Subscription", connection.cloud.subscription)):
        if value:
            words += [option, powershell(value)]
    return "\n".join([*lines, " ".join(words), "Get-AzResourceGroup", ""])


def _credential(connection: Connection) -> Iterator[str]:
    identity = connection.identity
    if identity is not None and connection.certificate:
        why = "It wants the certificate as a PFX (stacktui certificates convert):"
        yield comment(Shell.POWERSHELL, why)
    if identity is None or not (value := connection.secret_value):
        return
    match value:
        case EnvSecret(name=variable):
            text = f"$env:{variable}"
        case FileSecret():
            text = read_in_powershell(value)
        case str():
            text = powershell(value)
    user = powershell(identity.username or identity.client_id)
    yield f"$secret = ConvertTo-SecureString {text} -AsPlainText -Force"
    yield f"$credential = New-Object Management.Automation.PSCredential({user}, $secret)"


def _account(connection: Connection) -> list[str]:
    identity = connection.identity
    if identity is None or identity.kind in (IdentityKind.DEVICE_CODE, IdentityKind.AZURE_CLI):
        return ["-UseDeviceAuthentication"]
    if identity.kind is IdentityKind.MANAGED_IDENTITY:
        account = identity.client_id or identity.object_id or identity.resource_id
        return ["-Identity", *(["-AccountId", powershell(account)] if account else [])]
    if connection.certificate:
        application, path = map(powershell, (identity.client_id, connection.certificate))
        return ["-ServicePrincipal", "-ApplicationId", application, "-CertificatePath", path]
    principal = ["-ServicePrincipal"] * (identity.kind is IdentityKind.SERVICE_PRINCIPAL)
    return [*principal, "-Credential", "$credential"]
