"""What a write probe finds that reading does not, and what it leaves behind."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.check.write_probe import WRITING, ProbeLeftovers, WriteProbe, made_at
from stacktui.check.write_probe import leftovers as leftovers_in
from stacktui.diagnosis.catalogue.arm_refusals import (
    AGAIN_LATER,
    REPORT_TO_OPERATOR,
    answer_lines,
    fill_again_later,
    fill_report_to_operator,
)
from stacktui.diagnosis.context import FailureContext, ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Action, ActionKind, Remedy, Side
from stacktui.diagnosis.message_pattern import arm_code
from stacktui.diagnosis.remedy_template import Quote, RemedyTemplate, for_both
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.text.counts import count_of

# write-refused

_ASK_OWNER = RemedyTemplate(
    "Read what ARM says: a policy, a lock, a quota or the subscription's state forbids it; whoever "
    "set that can say how a group may be made"
)


def _write_refused(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if failure.step.name not in WRITING or not isinstance(fault, ArmFault):
        return None
    refused = fault.problem is ArmProblem.REFUSED and 400 <= fault.status < 500
    if not refused and fault.problem is not ArmProblem.OPERATION_FAILED:
        return None
    evidence = (*answer_lines(failure), *fault_lines(fault))
    remedies = (
        _ASK_OWNER.fill(),
        fill_again_later(failure, failure.last),
        fill_report_to_operator(fault),
    )
    title = f"ARM reads, but does not write {fault.what}: {fault.code or fault.status}"
    return Explanation(title, evidence, remedies)


WRITE_REFUSED = FaultInfo(
    id="write-refused",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="ARM reads, but refuses to make or to delete a resource group.",
    distinguishing_evidence=(
        "Only a write probe (`check --write-probe`) finds it: resource groups were listed before. "
        "403 AuthorizationFailed, which names an action, is `arm-forbidden`; 429 `arm-throttled`; "
        "5xx `arm-server-error`."
    ),
    az_says="(RequestDisallowedByPolicy) … / (ScopeLocked) …",
    patterns={
        arm_code("RequestDisallowedByPolicy", r"disallowed by policy"): 92,
        arm_code("ScopeLocked", r"cannot perform (?:write|delete) operation because"): 92,
    },
    remedies=(_ASK_OWNER, AGAIN_LATER, REPORT_TO_OPERATOR),
    rules=(_write_refused,),
)

# probe-leftover

_REMOVE_OLD = for_both(
    "Delete them: those alone that have our tag, are older than 15 minutes, and empty",
    "stacktui check --remove-leftovers{environment}",
)
_DELETE_NOW = for_both(
    "Delete this one now",
    "stacktui rest DELETE {path} --wait{asked}",
    path="/subscriptions/ID/resourceGroups/NAME",
    asked=" --environment NAME",
)


def _probe_leftover(report: ReportContext) -> Explanation | None:
    """Tell of the groups that earlier probes left, and of this one's."""
    groups, removed = report.report.groups, report.report.result(ProbeLeftovers)
    gone = {*removed.deleted, *removed.deleting} if removed else set()
    old = [
        each
        for each in (leftovers_in(groups.groups, report.now) if groups else ())
        if each.name not in gone
    ]
    probe = report.report.result(WriteProbe)
    own = probe if probe is not None and probe.left else None
    evidence = [f"{each.name}, made {made_at(each):%Y-%m-%d %H:%M} UTC" for each in old]
    remedies: list[Remedy] = []
    if own is not None:
        evidence.append(str(own))

        def asked(quote: Quote) -> str:
            name = quote(report.environment.name)
            return f" --environment {name}{report.config_option(quote)}"

        path = f"/subscriptions/{own.subscription}/resourceGroups/{own.group}"
        remedies.append(_DELETE_NOW.fill(path=path, asked=asked))
    if old:
        action = Action(ActionKind.REMOVE_LEFTOVERS)
        remedies.append(_REMOVE_OLD.fill(action, **report.placeholders))
    if not evidence:
        return None
    many = count_of(len(evidence), "resource group")
    verb = "is" if len(evidence) == 1 else "are"
    title = f"{many} of a write probe {verb}, or may be, left there"
    return Explanation(title, tuple(evidence), tuple(remedies))


PROBE_LEFTOVER = FaultInfo(
    id="probe-leftover",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="A resource group that a write probe made is left.",
    distinguishing_evidence=(
        "A group stacktui-probe-… with the tag stacktui-probe, made over 15 minutes ago: a probe "
        "was ended before it could delete it. One whose deletion goes on is none. Whatever the "
        "probe itself met is the verdict, such as `write-refused`."
    ),
    az_says="nothing: it is a group like any other",
    remedies=(_DELETE_NOW, _REMOVE_OLD),
    advisories=(_probe_leftover,),
)
