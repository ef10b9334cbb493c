"""No token for a managed identity: what the instance metadata service did (PROTOCOL.md 5)."""

from __future__ import annotations

from collections.abc import Callable

from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.retry import retry_lines
from stacktui.diagnosis.rules.refusals import section_of
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import fault_lines, request_line
from stacktui.identities.faults import ImdsFault, ImdsProblem
from stacktui.identities.model import Identity

_ADDRESS = "169.254.169.254"
_INSTANCE = f"http://{_ADDRESS}/metadata/instance"
_VERSION = "api-version=2018-02-01"
_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
# For so long the service may be away when it is updated (its 410), in seconds.
_UPDATE = 70


def _fault(case: FailureContext, *problems: ImdsProblem) -> ImdsFault | None:
    fault = case.fault
    return fault if isinstance(fault, ImdsFault) and fault.problem in problems else None


def _asked(case: FailureContext) -> list[str]:
    return [request_line(case.last)] if case.last else []


_UNREACHABLE = {
    ImdsProblem.UNREACHABLE: "The instance metadata service of this machine cannot be reached",
    ImdsProblem.SOMETHING_ELSE: "What answers in place of the instance metadata service is not it",
    ImdsProblem.FORWARDED: "A proxy stands between this box and its instance metadata service",
}


@rule(
    "imds-unreachable",
    Side.BOX,
    "Failed to connect to MSI. Please make sure MSI is configured correctly and check the network "
    "connection. Error detail: …",
)
def imds_unreachable(case: FailureContext) -> Explained | None:
    fault = _fault(case, *_UNREACHABLE)
    if fault is None:
        return None
    remedies = [_unset(fault)] if fault.by_variable else []
    remedies += [_see(), _around_proxy(), *_otherwise(case.identity)]
    evidence = (*fault_lines(fault), *_asked(case), *_excerpt(case))
    return _UNREACHABLE[fault.problem], evidence, tuple(remedies)


def _excerpt(case: FailureContext) -> list[str]:
    response = case.last.response if case.last else None
    return [f"it begins: {response.excerpt}"] if response and response.excerpt else []


def _unset(fault: ImdsFault) -> Remedy:
    return Remedy(
        f"If {fault.endpoint} is not meant, let it be the machine's own, {_ADDRESS}",
        f"unset {_VARIABLE}",
        f"Remove-Item Env:{_VARIABLE}",
    )


def _see() -> Remedy:
    return Remedy(
        "See whether it answers, never by a proxy: only a virtual machine of the cloud has it",
        f"ip route get {_ADDRESS}; curl -sS -i -m 5 --noproxy '*' -H Metadata:true "
        f"'{_INSTANCE}?{_VERSION}' | head -c 2000 | cat -v",
        f"curl.exe -sS -i -m 5 --noproxy '*' -H Metadata:true '{_INSTANCE}?{_VERSION}'",
    )


def _around_proxy() -> Remedy:
    """stacktui goes round every proxy by itself; what else asks there must be told to."""
    return Remedy(
        "Let no proxy swallow the address: stacktui asks directly, az and others need to be told",
        f'export NO_PROXY={_ADDRESS}"${{NO_PROXY:+,$NO_PROXY}}"',
        f"$env:NO_PROXY = (@('{_ADDRESS}', $env:NO_PROXY) -ne $null) -join ','",
    )


def _otherwise(identity: Identity | None) -> list[Remedy]:
    section = f" under {section_of(identity)}" if identity else ""
    return [
        Remedy(
            "On a machine that has none, sign in otherwise: set kind to service-principal, user "
            f"or device-code{section}"
        )
    ]


@rule(
    "imds-no-identity",
    Side.BOX,
    "Failed to connect to MSI. Please make sure MSI is configured correctly. Get Token request "
    "returned http error: 400, reason: Bad Request",
)
def imds_no_identity(case: FailureContext) -> Explained | None:
    fault, identity = _fault(case, ImdsProblem.NO_IDENTITY), case.identity
    if fault is None or identity is None:
        return None
    section = section_of(identity)
    named = _named(identity)
    remedies = [Remedy(_ASSIGN, _assign_bash(identity), _assign_powershell(identity))]
    if named:
        key, value = named
        title = f"This machine has no managed identity with the {key} {value}"
        remedies.append(
            Remedy(f"Or check {key} under {section}; without it, the machine's own signs in")
        )
    else:
        title = "This machine has no managed identity of its own"
        remedies.append(
            Remedy(
                "Or, if user-assigned ones are assigned to it, name one: client_id, object_id or "
                f"resource_id under {section}"
            )
        )
    return title, (*fault_lines(fault), *_asked(case)), tuple(remedies)


_ASSIGN = "On that machine, signed in as somebody who may change it, assign the identity"


def _named(identity: Identity) -> tuple[str, str] | None:
    """The key and the value by which the config names a user-assigned identity."""
    keys = ("client_id", "object_id", "resource_id")
    values = (identity.client_id, identity.object_id, identity.resource_id)
    return next(((key, value) for key, value in zip(keys, values, strict=True) if value), None)


def _assign_bash(identity: Identity) -> str:
    ask = (
        f"curl -sS --noproxy '*' -H Metadata:true '{_INSTANCE}/compute/{{}}?{_VERSION}&format=text'"
    )
    group, name = (f'"$({ask.format(key)})"' for key in ("resourceGroupName", "name"))
    which = _resource_id(identity, bash)
    return f"az vm identity assign -g {group} -n {name}" + (
        f" --identities {which}" if which else ""
    )


def _resource_id(identity: Identity, quote: Callable[[str], str]) -> str:
    """The resource id of the identity, or a command that finds it by its other id."""
    if identity.resource_id:
        return quote(identity.resource_id)
    named = _named(identity)
    if named is None:
        return ""
    # The one escape that JMESPath's raw strings know.
    value = named[1].replace("'", "\\'")
    field = "clientId" if named[0] == "client_id" else "principalId"
    query = f"[?{field}=='{value}'].id | [0]"
    return f'"$(az identity list --query {quote(query)} -o tsv)"'


def _assign_powershell(identity: Identity) -> str:
    compute = (
        "$vm = (Invoke-RestMethod -TimeoutSec 5 -Headers @{Metadata='true'} "
        f"'{_INSTANCE}?{_VERSION}').compute; "
    )
    found = "-VM (Get-AzVM -ResourceGroupName $vm.resourceGroupName -Name $vm.name)"
    update = f"{compute}Update-AzVM -ResourceGroupName $vm.resourceGroupName {found}"
    named = _named(identity)
    if named is None:
        return f"{update} -IdentityType SystemAssigned"
    which = powershell(identity.resource_id)
    if not identity.resource_id:
        field = "ClientId" if named[0] == "client_id" else "PrincipalId"
        which = f"(Get-AzUserAssignedIdentity | Where-Object {field} -eq {powershell(named[1])}).Id"
    return f"{update} -IdentityType UserAssigned -IdentityId {which}"


@rule(
    "imds-unavailable",
    Side.BOX,
    "MSI endpoint is not responding. Please make sure MSI is configured correctly. Error detail: "
    "MSI: Failed to acquire tokens after 12 times (after minutes)",
)
def imds_unavailable(case: FailureContext) -> Explained | None:
    fault = _fault(case, ImdsProblem.UNAVAILABLE)
    if fault is None:
        return None
    remedies = (
        Remedy(
            f"Wait until it is back (an update takes up to {_UPDATE} s), and check again",
            f"sleep {_UPDATE} && {case.command('check', bash)}",
            f"Start-Sleep -Seconds {_UPDATE}; {case.command('check', powershell)}",
        ),
        Remedy(
            "If it stays so, restart the machine, then tell the operator of the cloud that it runs "
            "in: the service is the host's, not the machine's"
        ),
    )
    title = f"The instance metadata service cannot give a token now ({fault.status})"
    return title, (*fault_lines(fault), *_asked(case), *retry_lines(case.last)), remedies


RULES: tuple[Rule[FailureContext], ...] = (imds_unreachable, imds_no_identity, imds_unavailable)
