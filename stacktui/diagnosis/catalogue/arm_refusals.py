"""ARM refuses to list resource groups: forbidden, throttled, unavailable, or server error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from math import ceil
from urllib.parse import unquote

from stacktui.check.fault_text import fault_lines, id_lines
from stacktui.check.write_probe import WRITING
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Action, ActionKind, Remedy, Side
from stacktui.diagnosis.formatting import header_lines, request_lines
from stacktui.diagnosis.gateway_answer import is_from_stamp, names_gateway
from stacktui.diagnosis.malformed import RUN_AGAIN
from stacktui.diagnosis.message_pattern import arm_code
from stacktui.diagnosis.messages.arm import (
    HTTP_403,
    HTTP_429,
    HTTP_500_OR_504,
    HTTP_502,
    HTTP_503,
    INTERNAL_SERVER_ERROR,
    SERVICE_UNAVAILABLE,
)
from stacktui.diagnosis.remedy_template import PlainWord, Quote, RemedyTemplate, for_both
from stacktui.diagnosis.retry import retry_lines
from stacktui.environments.profiles import PUBLIC_PROFILE
from stacktui.resources.api_versions import known_version
from stacktui.resources.model import ArmFault, ArmProblem, Principal, RoleDefinition
from stacktui.resources.role_paths import (
    CONTRIBUTOR,
    READER,
    assignment_body,
    assignment_name,
    assignment_path,
    is_object_id,
)
from stacktui.transport.records import Exchange
from stacktui.transport.retry_after import retry_after

# Longest `sleep` in a command.
_LONGEST_SLEEP = timedelta(days=1)

AGAIN_LATER = RemedyTemplate(
    "Run the check again {when}",
    "{sleep}stacktui check{environment}",
    "{start_sleep}stacktui check{environment}",
    {"when": "in a minute, or when Retry-After says", "sleep": "", "start_sleep": ""},
)
REPORT_TO_OPERATOR = RemedyTemplate(
    "If it stays so, give the stamp's operator the time and the ids ({ids})",
    shown={"ids": "they are in the report"},
)


def fill_again_later(failure: FailureContext, answer: Exchange | None) -> Remedy:
    """Fill with the Retry-After of `answer`; without one, wait a minute."""
    wait = retry_after(answer)
    seconds = ceil(wait.total_seconds()) if wait is not None and wait <= _LONGEST_SLEEP else 0
    return AGAIN_LATER.fill(
        when=f"in {seconds} s" if seconds else "in a minute",
        sleep=lambda _: f"sleep {seconds} && " if seconds else "",
        start_sleep=lambda _: f"Start-Sleep -Seconds {seconds}; " if seconds else "",
        **failure.again,
    )


def fill_report_to_operator(fault: ArmFault) -> Remedy:
    return REPORT_TO_OPERATOR.fill(ids=ids_of(fault))


def ids_of(fault: ArmFault) -> str:
    return "; ".join(id_lines(fault)) or "no request id was given"


def answer_lines(failure: FailureContext) -> list[str]:
    """Return the Retry-After, if there is one, and the request."""
    return retry_lines(failure.last) + request_lines(failure)


def _refusal(failure: FailureContext) -> ArmFault | None:
    """Return the fault if ARM itself refused, or its web server; another page is a gateway's."""
    fault = failure.arm(ArmProblem.REFUSED)
    response = failure.last.response if failure.last else None
    if fault is None or response is None:
        return fault
    stamps_own = is_from_stamp(response) and not names_gateway(failure, fault.page_title)
    return fault if stamps_own else None


# arm-forbidden

_AUTHORIZATION_FAILED = arm_code(
    "AuthorizationFailed",
    r"does not have authorization to perform|linkedauthorizationfailed",
    whole=True,
)
# ARM's message names who, which action and which scope.
_OBJECT = re.compile(r"object id '([0-9a-fA-F-]{36})'")
_ACTION = re.compile(r"action '([\w./*-]+)'")
_SCOPE = re.compile(r"scope '(/[^']*)'")
_SUBSCRIPTION = re.compile(r"(?i)/subscriptions/([^/?]+)/resourcegroups")

GRANT_ROLE = for_both(
    "An owner of {scope} grants {role}, the smallest role that can do this",
    "stacktui identities grant {principal} --role {role} --scope {scope}{asked}",
    role=READER.name,
    scope="/subscriptions/ID",
    principal="OBJECT-ID",
    asked=" --environment NAME",
)
# `az role` asks Microsoft Graph, which no stamp has (PROTOCOL.md section 4).
_GRANT_BY_REST = RemedyTemplate(
    "The owner does so with az, signed in {where}",
    "az rest --method put --url {url} --body {body}",
    "New-AzRoleAssignment {parameter} {assignee} -RoleDefinitionName {role} -Scope {scope}",
    {
        "where": "on this stamp",
        "role": READER.name,
        "url": "/subscriptions/ID/providers/Microsoft.Authorization/roleAssignments/GUID"
        "?api-version=2015-07-01",
        "body": '\'{"properties": {"roleDefinitionId": "ID", "principalId": "OBJECT-ID"}}\'',
        "scope": "/subscriptions/ID",
        "assignee": "OBJECT-ID",
        "parameter": "-ObjectId",
    },
)


def _arm_forbidden(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, ArmFault) or fault.code != _AUTHORIZATION_FAILED.code:
        return None
    who, scope = object_id(failure), _scope(failure)
    writing = failure.step.name in WRITING
    # A probe is refused at its group, and the role is wanted above it.
    said = None if writing else _first(_SCOPE, fault.message)
    evidence = [
        *_comparison_lines("object id", "the token is for", who, _first(_OBJECT, fault.message)),
        *_comparison_lines("scope", "asked was for", scope, said),
    ]
    if action := _first(_ACTION, fault.message):
        evidence.append(f"action {action}")
    evidence += fault_lines(fault)
    title = f"Signed in, but not allowed to {_verb(failure)} {fault.what}"
    role = CONTRIBUTOR if writing else READER
    return Explanation(title, tuple(evidence), tuple(_grant(failure, role, who, scope)))


def _verb(failure: FailureContext, reading: str = "read") -> str:
    """Return what the failed step was to do with what it asked for."""
    return "write" if failure.step.name in WRITING else reading


def fill_grant(failure: FailureContext, role: RoleDefinition, scope: str, principal: str) -> Remedy:
    """Fill with a scope and an object id, neither of which only the server names."""

    def asked(quote: Quote) -> str:
        config = failure.config_option(quote)
        return f" --environment {quote(failure.environment.name)}{config}"

    # The dashboard grants Reader alone.
    action = Action(ActionKind.GRANT, key=scope, value=principal) if role == READER else None
    values = {"scope": scope, "principal": principal, "role": PlainWord(role.name)}
    return GRANT_ROLE.fill(action, asked=asked, **values)


def _grant(
    failure: FailureContext, role: RoleDefinition, who: str | None, scope: str | None
) -> Iterator[Remedy]:
    """Yield how to grant only to what is known locally, never to an id that only the server names.

    Without a command if the scope or the assignee is unknown.
    """

    identity, named = failure.identity, PlainWord(role.name)
    principal = who or (identity.object_id if identity else "")
    if scope and principal:
        yield fill_grant(failure, role, scope, principal)
    else:
        without_command = replace(GRANT_ROLE, bash="", powershell="")
        yield without_command.fill(scope=scope or "the subscription", role=named)
    # If the token names no object, the identity's own id finds it too.
    assignee = principal or (identity.principal if identity else "")
    if scope is None or not assignee:
        return
    by_user = "-SignInName" if identity and identity.username else "-ApplicationId"
    parameter = PlainWord("-ObjectId" if principal else by_user)
    profile = failure.environment.profile
    where = "to Azure" if profile == PUBLIC_PROFILE else "on this stamp"
    values = {"scope": scope, "assignee": assignee, "parameter": parameter, "role": named,
              "where": where}  # fmt: skip
    if principal:
        version = known_version(profile, "Microsoft.Authorization") or ""
        granted = Principal(principal, bool(identity and identity.is_application))
        path = assignment_path(scope, assignment_name(scope, role, granted))
        body = json.dumps(assignment_body(scope, role, granted, version))
        # az adds ARM of its active cloud and its audience to a path.
        yield _GRANT_BY_REST.fill(url=f"{path}?api-version={version}", body=body, **values)
    else:
        yield replace(_GRANT_BY_REST, bash="").fill(**values)


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _comparison_lines(label: str, ours: str, known: str | None, said: str | None) -> list[str]:
    """Return one value as known locally and as ARM reports it; one line if they agree."""
    if known and said and known.lower().rstrip("/") != said.lower().rstrip("/"):
        return [f"ARM names the {label} {said}, but {ours} {known}"]
    return [f"{label} {known or said}"] if known or said else []


def object_id(failure: FailureContext) -> str | None:
    """Return the object id in the token; AD FS may name a SID."""
    token = failure.report.token
    claimed = (token and token.object_id) or ""
    return claimed if is_object_id(claimed) else None


def _scope(failure: FailureContext) -> str | None:
    """Return the subscription that was listed, from the first request, as later pages have
    the server's own addresses."""
    ids = (_first(_SUBSCRIPTION, each.url) for each in failure.step.evidence.exchanges)
    asked = next((id_ for id_ in ids if id_), None)
    return f"/subscriptions/{unquote(asked)}" if asked else None


ARM_FORBIDDEN = FaultInfo(
    id="arm-forbidden",
    group=Group.RESOURCES,
    sides=(Side.SIGN_IN,),
    meaning="Signed in, but without the right to do this.",
    distinguishing_evidence=(
        "403 AuthorizationFailed: ARM takes the token, unlike in `arm-unauthorized`, and names "
        "who, which action and which scope. An empty list is `no-subscriptions`."
    ),
    az_says=(
        "(AuthorizationFailed) The client '…' with object id '…' does not have authorization to "
        "perform action '…' over scope '…'"
    ),
    patterns={_AUTHORIZATION_FAILED: 94, HTTP_403: 52},
    remedies=(GRANT_ROLE, _GRANT_BY_REST),
    rules=(_arm_forbidden,),
)


# arm-throttled

_ASK_LESS = RemedyTemplate("Find out what else asks so often with this subscription or identity")


def _arm_throttled(failure: FailureContext) -> Explanation | None:
    fault = _refusal(failure)
    if fault is None or fault.status != 429:
        return None
    evidence = (*answer_lines(failure), *fault_lines(fault))
    remedies = (fill_again_later(failure, failure.last), _ASK_LESS.fill())
    title = f"ARM gets too many requests to {_verb(failure, 'list')} {fault.what}"
    return Explanation(title, evidence, remedies)


ARM_THROTTLED = FaultInfo(
    id="arm-throttled",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="ARM gets too many requests (429).",
    distinguishing_evidence=(
        "429 by ARM, with the time to wait (Retry-After); by the login host it is "
        "`login-throttled`."
    ),
    az_says="(TooManyRequests) …",
    patterns={arm_code("TooManyRequests", r"subscriptionrequeststhrottled"): 90, HTTP_429: 62},
    remedies=(AGAIN_LATER, _ASK_LESS),
    rules=(_arm_throttled,),
)


# arm-unavailable


def _arm_unavailable(failure: FailureContext) -> Explanation | None:
    fault = _refusal(failure)
    if fault is None or fault.status != 503:
        return None
    evidence = (*answer_lines(failure), *fault_lines(fault))
    remedies = (fill_again_later(failure, failure.last), fill_report_to_operator(fault))
    title = f"ARM is not available to {_verb(failure, 'list')} {fault.what}"
    return Explanation(title, evidence, remedies)


ARM_UNAVAILABLE = FaultInfo(
    id="arm-unavailable",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="ARM is not available just now (503).",
    distinguishing_evidence=(
        "ARM says so and may say when to come back (Retry-After). Any other 5xx is "
        "`arm-server-error`; for the metadata it is `metadata-unavailable`."
    ),
    az_says="(ServiceUnavailable) The service is unavailable. …",
    patterns={SERVICE_UNAVAILABLE: 66, HTTP_503: 62},
    remedies=(AGAIN_LATER, REPORT_TO_OPERATOR),
    rules=(_arm_unavailable,),
)


# arm-server-error


# What ARM says of a resource provider that it waited for.
_SILENT_PROVIDER = re.compile(r"(?i)did not receive a response from '([\w.]{1,80})'")
_PROVIDER_DOWN = RemedyTemplate(
    "If it stays so, the stamp's operator looks at the health of the provider {provider}, not at "
    "ARM's: give the time and the ids ({ids})",
    shown={"provider": "that ARM names", "ids": "they are in the report"},
)


def _arm_server_error(failure: FailureContext) -> Explanation | None:
    fault = _refusal(failure)
    # 503 is `arm-unavailable`.
    if fault is None or not 500 <= fault.status < 600 or fault.status == 503:
        return None
    # A page has no code: the server's name is what makes it the stamp's.
    server = () if fault.code else header_lines(failure, "server", "via")
    evidence = (*fault_lines(fault), *request_lines(failure), *server)
    remedies = (RUN_AGAIN.fill(**failure.again), fill_report_to_operator(fault))
    if silent := _SILENT_PROVIDER.search(fault.message):
        title = f"{silent[1]} does not answer ARM (504): that provider is down, ARM is not"
        down = _PROVIDER_DOWN.fill(provider=silent[1], ids=ids_of(fault))
        return Explanation(title, evidence, (remedies[0], down))
    verb = "writing" if failure.step.name in WRITING else "reading"
    title = f"The stamp failed inside ({fault.status}) while {verb} {fault.what}"
    return Explanation(title, evidence, remedies)


ARM_SERVER_ERROR = FaultInfo(
    id="arm-server-error",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="The stamp fails inside while reading resources (5xx).",
    distinguishing_evidence=(
        "ARM itself answers, with request ids, or a page of its web server; 503 is "
        "`arm-unavailable`. In a 504 ARM names the provider that does not answer it: then that is "
        "down, ARM is not. While giving the metadata it is `metadata-server-error`; a gateway's "
        "page is `arm-intercepted`."
    ),
    az_says=(
        "(InternalServerError) … / Operation returned an invalid status 'Internal Server Error' / "
        "(GatewayTimeout) The gateway did not receive a response from 'Microsoft.…' within the "
        "specified time period."
    ),
    patterns={
        arm_code("GatewayTimeout", r"did not receive a response from '"): 90,
        INTERNAL_SERVER_ERROR: 64,
        HTTP_500_OR_504: 56,
        HTTP_502: 52,
    },
    remedies=(RUN_AGAIN, REPORT_TO_OPERATOR, _PROVIDER_DOWN),
    rules=(_arm_server_error,),
)

FAULTS = (ARM_FORBIDDEN, ARM_THROTTLED, ARM_UNAVAILABLE, ARM_SERVER_ERROR)
