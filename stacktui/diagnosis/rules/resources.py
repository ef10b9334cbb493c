"""What ARM says when it says no."""

from __future__ import annotations

import re
from urllib.parse import unquote

from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules import answers, subscriptions
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import fault_lines, id_lines, request_line
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import ArmFault, ArmProblem

# How ARM words an AuthorizationFailed: who, which action, which scope.
_OBJECT = re.compile(r"object id '([0-9a-fA-F-]{36})'")
_ACTION = re.compile(r"action '([\w./*-]+)'")
_SCOPE = re.compile(r"scope '(/[^']*)'")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/?]+)/resourcegroups")


@rule("arm-forbidden", Side.SIGN_IN, "(AuthorizationFailed) The client '…' with object id '…' does "
      "not have authorization to perform action '…' over scope '…'")  # fmt: skip
def arm_forbidden(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.code != "AuthorizationFailed":
        return None
    who, scope = _object_id(case), _scope(case)
    evidence = [
        *_compared("object id", "the token is for", who, _first(_OBJECT, fault.message)),
        *_compared("scope", "asked was for", scope, _first(_SCOPE, fault.message)),
    ]
    if action := _first(_ACTION, fault.message):
        evidence.append(f"action {action}")
    evidence += fault_lines(fault)
    title = f"Signed in, but not allowed to read {fault.what}"
    return title, tuple(evidence), (_grant(case, who, scope),)


def _grant(case: FailureContext, who: str | None, scope: str | None) -> Remedy:
    """The command takes what we know ourselves: the server's words shall grant nobody anything."""
    if scope is None:
        return Remedy("An owner of the subscription grants Reader at the subscription")
    title = f"An owner of {scope} grants Reader, the smallest role that can do this"
    # Where the token names no object, what the identity is known by finds it too.
    identity = case.identity
    assignee = who or (identity.principal if identity else "")
    if not assignee:
        return Remedy(title)
    by_object = who or (identity and identity.object_id)
    by_user = "-SignInName" if identity and identity.username else "-ApplicationId"
    parameter = "-ObjectId" if by_object else by_user
    return Remedy(
        title,
        f"az role assignment create --assignee {bash(assignee)} --role Reader "
        f"--scope {bash(scope)}",
        f"New-AzRoleAssignment {parameter} {powershell(assignee)} -RoleDefinitionName Reader "
        f"-Scope {powershell(scope)}",
    )


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _compared(label: str, ours: str, known: str | None, said: str | None) -> list[str]:
    """One value as we know it and as ARM says it: one line if they agree."""
    if known and said and known.lower().rstrip("/") != said.lower().rstrip("/"):
        return [f"ARM names the {label} {said}, but {ours} {known}"]
    return [f"{label} {known or said}"] if known or said else []


def _object_id(case: FailureContext) -> str | None:
    """The object id that our own token claims."""
    for step in case.report.steps:
        facts = step.evidence.result
        if isinstance(facts, TokenFacts) and facts.object_id and _GUID.fullmatch(facts.object_id):
            return facts.object_id
    return None


def _scope(case: FailureContext) -> str | None:
    """The subscription whose groups were asked for: of the first request, as later pages have
    the server's own addresses."""
    ids = (_first(_SUBSCRIPTION, each.url) for each in case.step.evidence.exchanges)
    asked = next((id_ for id_ in ids if id_), None)
    return f"/subscriptions/{unquote(asked)}" if asked else None


@rule("arm-server-error", Side.STAMP, "(InternalServerError) … / Operation returned an invalid "
      "status 'Internal Server Error'")  # fmt: skip
def arm_server_error(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.problem is not ArmProblem.REFUSED:
        return None
    if not 500 <= fault.status < 600 or fault.status == 503:  # 503 says: come back later
        return None
    response = case.last.response if case.last else None
    if response and response.excerpt.startswith("<"):
        return None  # ARM speaks JSON: a page is of something in front of it
    evidence = fault_lines(fault)
    if case.last:
        evidence.append(request_line(case.last))
    ids = "; ".join(id_lines(fault)) or "no request id was given"
    remedies = (
        Remedy(
            "Run the check again in a minute: the stamp may just be restarting a service",
            case.command("check", bash),
            case.command("check", powershell),
        ),
        Remedy(f"If it stays so, give the stamp's operator the time and the ids ({ids})"),
    )
    return (
        f"The stamp failed inside ({fault.status}) while reading {fault.what}",
        tuple(evidence),
        remedies,
    )


RULES: tuple[Rule[FailureContext], ...] = (
    *subscriptions.RULES,
    arm_forbidden,
    *answers.RULES,
    arm_server_error,
)
