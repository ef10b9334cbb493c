"""Faults of the instance metadata service (IMDS, PROTOCOL.md section 5): no token."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import body_lines, request_lines
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.sign_in import IMDS_NO_TOKEN, IMDS_SILENT
from stacktui.diagnosis.remedy_template import PlainWord, Quote, RemedyTemplate
from stacktui.diagnosis.retry import retry_lines
from stacktui.diagnosis.sign_in_facts import section_of
from stacktui.identities.faults import ImdsFault, ImdsProblem
from stacktui.identities.model import Identity

_ADDRESS = "169.254.169.254"
_INSTANCE = f"http://{_ADDRESS}/metadata/instance"
_VERSION = "api-version=2018-02-01"
_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
# How long an update (410) may make the service unavailable, in seconds.
_UPDATE = 70
# The names that clients have for the service.
_IMDS = r"169\.254\.169\.254|\bmsi\b|\bimds\b"


def _fault(failure: FailureContext, *problems: ImdsProblem) -> ImdsFault | None:
    fault = failure.fault
    return fault if isinstance(fault, ImdsFault) and fault.problem in problems else None


# imds-unreachable

_TITLES = {
    ImdsProblem.UNREACHABLE: "The instance metadata service of this machine cannot be reached",
    ImdsProblem.SOMETHING_ELSE: "What answers in place of the instance metadata service is not it",
    ImdsProblem.FORWARDED: "A proxy stands between this machine and its instance metadata service",
}
_UNSET_VARIABLE = RemedyTemplate(
    f"If {{endpoint}} is not meant, let it be the machine's own, {_ADDRESS}",
    f"unset {_VARIABLE}",
    f"Remove-Item Env:{_VARIABLE}",
    {"endpoint": f"what {_VARIABLE} names"},
)
_SEE_WHETHER_IT_ANSWERS = RemedyTemplate(
    "See whether it answers, never by a proxy: only a virtual machine of the cloud has it",
    f"ip route get {_ADDRESS}; curl -sS -i -m 5 --noproxy '*' -H Metadata:true "
    f"'{_INSTANCE}?{_VERSION}' | head -c 2000 | cat -v",
    f"curl.exe -sS -i -m 5 --noproxy '*' -H Metadata:true '{_INSTANCE}?{_VERSION}'",
)
# stacktui bypasses every proxy for this address; other clients need NO_PROXY.
_AROUND_PROXY = RemedyTemplate(
    "Let no proxy swallow the address: stacktui asks directly, az and others need this variable",
    f'export NO_PROXY={_ADDRESS}"${{NO_PROXY:+,$NO_PROXY}}"',
    f"$env:NO_PROXY = (@('{_ADDRESS}', $env:NO_PROXY) -ne $null) -join ','",
)
_SIGN_IN_OTHERWISE = RemedyTemplate(
    "On a machine that has none, sign in otherwise: set kind to service-principal, user "
    "or device-code{under}",
    shown={"under": " under the identity"},
)


def _imds_unreachable(failure: FailureContext) -> Explanation | None:
    fault = _fault(failure, *_TITLES)
    if fault is None:
        return None
    unset = (_UNSET_VARIABLE.fill(endpoint=fault.endpoint),) if fault.by_variable else ()
    remedies = (
        *unset,
        _SEE_WHETHER_IT_ANSWERS.fill(),
        _AROUND_PROXY.fill(),
        _SIGN_IN_OTHERWISE.fill(under=_under(failure)),
    )
    evidence = (*fault_lines(fault), *request_lines(failure), *body_lines(failure))
    return Explanation(_TITLES[fault.problem], evidence, remedies)


IMDS_UNREACHABLE = FaultInfo(
    id="imds-unreachable",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="The managed identity's service (169.254.169.254) cannot be reached.",
    distinguishing_evidence=(
        "No way there, or silence: this machine is no VM of the stamp's, or a proxy or firewall "
        "swallows the address. Where it answers that there is no identity, it is "
        "`imds-no-identity`."
    ),
    az_says=(
        "Failed to connect to MSI. Please make sure MSI is configured correctly and check the "
        "network connection. Error detail: …"
    ),
    patterns={
        IMDS_SILENT: 84,
        IMDS_NO_TOKEN: 60,
        MessagePattern(
            "169.254.169.254 cannot be reached",
            r"169\.254\.169\.254",
            also=r"timed out|refused|unreachable|no route|max retries|10060|10061|10051"
            r"|deadline exceeded|i/o timeout",
        ): 180,
    },
    remedies=(_UNSET_VARIABLE, _SEE_WHETHER_IT_ANSWERS, _AROUND_PROXY, _SIGN_IN_OTHERWISE),
    rules=(_imds_unreachable,),
)


# imds-no-identity

_ASSIGN = RemedyTemplate(
    "On that machine, signed in as somebody who may change it, assign the identity",
    "az vm identity assign -g {group} -n {machine}{identities}",
    "$vm = (Invoke-RestMethod -TimeoutSec 5 -Headers @{Metadata='true'} "
    f"'{_INSTANCE}?{_VERSION}').compute; Update-AzVM -ResourceGroupName $vm.resourceGroupName "
    "-VM (Get-AzVM -ResourceGroupName $vm.resourceGroupName -Name $vm.name) "
    "-IdentityType {identity_type}",
    {"machine": "VM", "identities": "", "identity_type": "SystemAssigned"},
)
_CHECK_ID = RemedyTemplate(
    "Or check {key} under {identity}; without it, the machine's own signs in",
    shown={"key": "client_id, object_id or resource_id", "identity": "the identity"},
)
_NAME_ANOTHER = RemedyTemplate(
    "Or, if user-assigned ones are assigned to it, name one: client_id, object_id or "
    "resource_id under {identity}",
    shown={"identity": "the identity"},
)


_NAME_ONE = RemedyTemplate(
    "Name one under {identity}: client_id = its client id, which this lists",
    "az vm identity show -g {group} -n {machine} "
    "--query 'values(userAssignedIdentities)[].clientId'",
    "$vm = (Invoke-RestMethod -TimeoutSec 5 -Headers @{Metadata='true'} "
    f"'{_INSTANCE}?{_VERSION}').compute; "
    "(Get-AzVM -ResourceGroupName $vm.resourceGroupName -Name $vm.name)"
    ".Identity.UserAssignedIdentities.Values.ClientId",
    {"group": "GROUP", "machine": "VM", "identity": "the identity"},
)


def _imds_no_identity(failure: FailureContext) -> Explanation | None:
    problems = (ImdsProblem.NO_IDENTITY, ImdsProblem.SEVERAL_IDENTITIES)
    fault, identity = _fault(failure, *problems), failure.identity
    if fault is None or identity is None:
        return None
    section = section_of(identity)
    if fault.problem is ImdsProblem.SEVERAL_IDENTITIES:
        one = _NAME_ONE.fill(
            identity=section, group=_of_machine("resourceGroupName"), machine=_of_machine("name")
        )
        title = "This machine has several managed identities, and none of them is named"
        return Explanation(title, (*fault_lines(fault), *request_lines(failure)), (one,))
    if named := _config_name(identity):
        key, value = named
        title = f"This machine has no managed identity with the {key} {value}"
        otherwise = _CHECK_ID.fill(key=key, identity=section)
    else:
        title = "This machine has no managed identity of its own"
        otherwise = _NAME_ANOTHER.fill(identity=section)
    evidence = (*fault_lines(fault), *request_lines(failure))
    return Explanation(title, evidence, (_assign(identity), otherwise))


def _config_name(identity: Identity) -> tuple[str, str] | None:
    """Return the key and value by which the config names a user-assigned identity."""
    keys = ("client_id", "object_id", "resource_id")
    values = (identity.client_id, identity.object_id, identity.resource_id)
    return next(((key, value) for key, value in zip(keys, values, strict=True) if value), None)


def _assign(identity: Identity) -> Remedy:
    """Assign the identity to this machine, whose names IMDS gives; find its resource id by the
    identity's other id if it is unknown."""
    named = _config_name(identity)

    def of_az(quote: Quote) -> str:
        if named is None:
            return ""
        if identity.resource_id:
            return f" --identities {quote(identity.resource_id)}"
        # The only escape in JMESPath's raw strings.
        value = named[1].replace("'", "\\'")
        field = "clientId" if named[0] == "client_id" else "principalId"
        query = f"[?{field}=='{value}'].id | [0]"
        return f' --identities "$(az identity list --query {quote(query)} -o tsv)"'

    def of_powershell(quote: Quote) -> str:
        if named is None:
            return "SystemAssigned"
        which = quote(identity.resource_id)
        if not identity.resource_id:
            field = "ClientId" if named[0] == "client_id" else "PrincipalId"
            which = f"(Get-AzUserAssignedIdentity | Where-Object {field} -eq {quote(named[1])}).Id"
        return f"UserAssigned -IdentityId {which}"

    return _ASSIGN.fill(
        group=_of_machine("resourceGroupName"),
        machine=_of_machine("name"),
        identities=of_az,
        identity_type=of_powershell,
    )


def _of_machine(key: str) -> PlainWord:
    """Return the command that asks IMDS for a name of this machine."""
    url = f"{_INSTANCE}/compute/{key}?{_VERSION}&format=text"
    return PlainWord(f"\"$(curl -sS --noproxy '*' -H Metadata:true '{url}')\"")


IMDS_NO_IDENTITY = FaultInfo(
    id="imds-no-identity",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="This VM has no managed identity, not the one asked for, or several.",
    distinguishing_evidence=(
        "The service answers 400 “Identity not found”, that it is not assigned to this machine, or "
        "that several are and one must be named. Where it does not answer, it is "
        "`imds-unreachable`; where it says to come back, `imds-unavailable`."
    ),
    az_says=(
        "Failed to connect to MSI. Please make sure MSI is configured correctly. Get Token request "
        "returned http error: 400, reason: Bad Request / Multiple user assigned identities exist, "
        "please specify the clientId / resourceId of the identity in the token request"
    ),
    patterns={
        IMDS_SILENT: 44,
        MessagePattern(
            "the managed identity's service answered 400",
            _IMDS,
            also=r"response \[?400\b|error: 400|\b400 (?:client error|bad request)",
        ): 180,
        MessagePattern(
            "there is no such managed identity",
            r"identity[ _]not[ _]found|no user assigned or delegated managed identity"
            r"|identity (?:has|is)(?:n't| not) (?:been )?assigned"
            r"|no managed identity(?! (?:endpoint|response))"
            r"|no default identity is assigned|multiple user.assigned (?:managed )?identit",
        ): 185,
        MessagePattern(
            "there are several managed identities, and none is named",
            r"multiple user.assigned identities exist",
        ): 186,
    },
    remedies=(_ASSIGN, _NAME_ONE, _CHECK_ID, _NAME_ANOTHER),
    rules=(_imds_no_identity,),
)


# imds-unavailable

_WAIT = RemedyTemplate(
    f"Wait until it is back (an update takes up to {_UPDATE} s), and check again",
    f"sleep {_UPDATE} && stacktui check{{environment}}",
    f"Start-Sleep -Seconds {_UPDATE}; stacktui check{{environment}}",
)
_RESTART = RemedyTemplate(
    "If it stays so, restart the machine, then tell the operator of the cloud that it runs "
    "in: the service is the host's, not the machine's"
)


_SEE_VERSIONS = RemedyTemplate(
    "See the api-versions that it knows: a managed identity's token needs 2018-02-01",
    f"curl -sS -m 5 --noproxy '*' -H Metadata:true 'http://{_ADDRESS}/metadata/versions' | cat -v",
    f"curl.exe -sS -m 5 --noproxy '*' -H Metadata:true 'http://{_ADDRESS}/metadata/versions'",
)
_UPDATE_HOST = RemedyTemplate(
    "The operator of the cloud that this machine runs in updates its host: managed identities came "
    "with a newer one"
)


def _under(failure: FailureContext) -> str:
    return f" under {section_of(failure.identity)}" if failure.identity else ""


def _imds_unavailable(failure: FailureContext) -> Explanation | None:
    if (older := _fault(failure, ImdsProblem.OLD_VERSION)) is not None:
        title = "The instance metadata service is an older one: it does not know our api-version"
        remedies = (_UPDATE_HOST.fill(), _SIGN_IN_OTHERWISE.fill(under=_under(failure)))
        evidence = (*fault_lines(older), *request_lines(failure))
        return Explanation(title, evidence, (_SEE_VERSIONS.fill(), *remedies))
    fault = _fault(failure, ImdsProblem.UNAVAILABLE)
    if fault is None:
        return None
    title = f"The instance metadata service cannot give a token now ({fault.status})"
    evidence = (*fault_lines(fault), *request_lines(failure), *retry_lines(failure.last))
    return Explanation(title, evidence, (_WAIT.fill(**failure.placeholders), _RESTART.fill()))


IMDS_UNAVAILABLE = FaultInfo(
    id="imds-unavailable",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="The managed identity's service is busy, being updated, or an older one.",
    distinguishing_evidence=(
        "It answers 404, 410, 429 or 5xx, and comes back by itself, after a 410 within 70 "
        "seconds; or it lists older api-versions (newest-versions). Any other 400 is "
        "`imds-no-identity`."
    ),
    az_says=(
        "MSI endpoint is not responding. Please make sure MSI is configured correctly. Error "
        "detail: MSI: Failed to acquire tokens after 12 times (after minutes)"
    ),
    patterns={
        IMDS_SILENT: 50,
        IMDS_NO_TOKEN: 84,
        MessagePattern(
            "the managed identity's service is busy",
            _IMDS,
            also=r"response \[?(?:404|410|429|5\d\d)\b|error: (?:404|410|429|5\d\d)|after 12 times",
        ): 180,
    },
    remedies=(_WAIT, _RESTART, _SEE_VERSIONS, _UPDATE_HOST, _SIGN_IN_OTHERWISE),
    rules=(_imds_unavailable,),
)

FAULTS = (IMDS_UNREACHABLE, IMDS_NO_IDENTITY, IMDS_UNAVAILABLE)
