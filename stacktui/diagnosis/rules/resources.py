"""What ARM says when it says no."""

from __future__ import annotations

import re

from stacktui.diagnosis.case import Case, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import fault_lines, id_lines, request_line
from stacktui.resources.model import ArmFault, ArmProblem

# How ARM words an AuthorizationFailed: who, which action, which scope.
_OBJECT = re.compile(r"object id '([0-9a-fA-F-]{36})'")
_ACTION = re.compile(r"action '([\w./*-]+)'")
_SCOPE = re.compile(r"scope '(/[^']*)'")
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/?]+)")


@rule("arm-forbidden", Side.STAMP, "(AuthorizationFailed) The client '…' with object id '…' does "
      "not have authorization to perform action '…' over scope '…'")  # fmt: skip
def arm_forbidden(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.code != "AuthorizationFailed":
        return None
    who = _first(_OBJECT, fault.message)
    action = _first(_ACTION, fault.message)
    scope = _first(_SCOPE, fault.message) or _scope_of_request(case)
    title = f"Signed in, but not allowed to read {fault.what}"
    evidence = [f"{label} {value}" for label, value in
                (("object id", who), ("action", action), ("scope", scope)) if value]  # fmt: skip
    evidence += fault_lines(fault)
    grant = Remedy(f"An owner of the subscription grants Reader at {scope or 'the subscription'}")
    if who and scope:
        grant = Remedy(
            f"An owner of {scope} grants Reader, the smallest role that can do this",
            f"az role assignment create --assignee {bash(who)} --role Reader --scope {bash(scope)}",
            f"New-AzRoleAssignment -ObjectId {powershell(who)} -RoleDefinitionName Reader "
            f"-Scope {powershell(scope)}",
        )
    return title, tuple(evidence), (grant,)


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _scope_of_request(case: Case) -> str | None:
    found = _SUBSCRIPTION.search(case.last.url) if case.last else None
    return f"/subscriptions/{found[1]}" if found else None


@rule("arm-server-error", Side.STAMP, "(InternalServerError) … / Operation returned an invalid "
      "status 'Internal Server Error'")  # fmt: skip
def arm_server_error(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.problem is not ArmProblem.REFUSED:
        return None
    if fault.status < 500 or fault.status == 503:  # 503 is its own fault: come back later
        return None
    evidence = fault_lines(fault)
    if case.last:
        evidence.append(request_line(case.last))
    ids = "; ".join(id_lines(fault)) or "no request id was given"
    remedies = (
        Remedy(
            "Run the check again in a minute: the stamp may just be restarting a service",
            f"stacktui check {bash(case.environment.name)}",
            f"stacktui check {powershell(case.environment.name)}",
        ),
        Remedy(f"If it stays so, give the stamp's operator the time and the ids ({ids})"),
    )
    return (
        f"The stamp failed inside ({fault.status}) while reading {fault.what}",
        tuple(evidence),
        remedies,
    )
