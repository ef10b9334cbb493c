"""Answers of ARM that are no list: it is busy, breaks off, never ends, or leads astray."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from stacktui.check.report import StepName
from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.retry import retry_lines, wait_of
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import fault_lines, id_lines, request_line, route_lines
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.facts import PhaseName, TransportFault, TransportFaultKind

# Nobody leaves a command asleep for longer.
_LONGEST_SLEEP = timedelta(days=1)
_BROKEN_OFF = frozenset({TransportFaultKind.HTTP_RESET, TransportFaultKind.BODY_TRUNCATED})
_OUT_OF_TIME = frozenset({TransportFaultKind.FIRST_BYTE_TIMEOUT, TransportFaultKind.STEP_TIMEOUT})


def _refused(case: FailureContext, status: int) -> ArmFault | None:
    """ARM's own refusal with this status: a page is of something in front of it."""
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.problem is not ArmProblem.REFUSED:
        return None
    response = case.last.response if case.last else None
    page = response is not None and response.excerpt.startswith("<")
    return fault if fault.status == status and not page else None


def _later(case: FailureContext) -> Remedy:
    wait = wait_of(case.last)
    seconds = ceil(wait.total_seconds()) if wait is not None and wait <= _LONGEST_SLEEP else 0
    pauses = ("sleep {} && ", "Start-Sleep -Seconds {}; ")
    pasted, for_powershell = (
        (pause.format(seconds) if seconds else "") + case.command("check", quote)
        for pause, quote in zip(pauses, (bash, powershell), strict=True)
    )
    when = f"in {seconds} s" if seconds else "in a minute"
    return Remedy(f"Run the check again {when}", pasted, for_powershell)


def _answered(case: FailureContext) -> list[str]:
    return retry_lines(case.last) + ([request_line(case.last)] if case.last else [])


def _operator(fault: ArmFault) -> Remedy:
    ids = "; ".join(id_lines(fault)) or "no request id was given"
    return Remedy(f"If it stays so, give the stamp's operator the time and the ids ({ids})")


@rule("arm-throttled", Side.STAMP, "(TooManyRequests) …")
def arm_throttled(case: FailureContext) -> Explained | None:
    fault = _refused(case, 429)
    if fault is None:
        return None
    fewer = Remedy("Find out what else asks so often with this subscription or identity")
    evidence = (*_answered(case), *fault_lines(fault))
    return f"ARM gets too many requests to list {fault.what}", evidence, (_later(case), fewer)


@rule("arm-unavailable", Side.STAMP, "(ServiceUnavailable) The service is unavailable. …")
def arm_unavailable(case: FailureContext) -> Explained | None:
    fault = _refused(case, 503)
    if fault is None:
        return None
    evidence = (*_answered(case), *fault_lines(fault))
    title = f"ARM is not available to list {fault.what}"
    return title, evidence, (_later(case), _operator(fault))


@rule("arm-not-json", Side.STAMP, "Expecting value: … / Unterminated string starting at: …")
def arm_not_json(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.problem is not ArmProblem.NOT_JSON:
        return None
    response = case.last.response if case.last else None
    kind = (response.header("content-type") if response else None) or ""
    if "html" in kind.lower():
        return None  # a page is of something in front of ARM
    evidence = [f"reading it stopped: {fault.message}"]
    evidence += [f"content-type: {kind}"] if kind else []
    evidence += [*_answered(case), *fault_lines(fault)]
    title = f"ARM's answer for {fault.what} is not whole JSON"
    return title, tuple(evidence), (_later(case), _operator(fault))


def _at_arm(case: FailureContext, kinds: frozenset[TransportFaultKind]) -> TransportFault | None:
    """The fault of a request for resource groups that ARM's host did get."""
    fault, last = case.fault, case.last
    if not isinstance(fault, TransportFault) or fault.kind not in kinds or last is None:
        return None
    if case.step.name is not StepName.RESOURCE_GROUPS or not case.at_arm:
        return None
    sent = any(each.name is PhaseName.REQUEST and each.ok for each in last.phases)
    return fault if sent else None


def _stamp_or_way(case: FailureContext) -> tuple[Remedy, ...]:
    """Mends where nobody answered: ARM, or something between, gave up."""
    proxied = case.connection is not None and case.connection.proxy.url is not None
    between = ", or of the proxy in between" if proxied else ""
    who = f"If it stays so, whoever looks after the stamp{between} looks at its load balancer"
    return (_later(case), Remedy(f"{who} and ARM's health, at the time above"))


@rule("arm-reset", Side.STAMP, "('Connection aborted.', ConnectionResetError(104, …)) / "
      "Connection broken: IncompleteRead(…)")  # fmt: skip
def arm_reset(case: FailureContext) -> Explained | None:
    fault = _at_arm(case, _BROKEN_OFF)
    if fault is None:
        return None
    evidence = (_when(case), *fault_lines(fault), *_answered(case), *route_lines(case))
    title = "The connection to ARM broke off before its answer was whole"
    return title, evidence, _stamp_or_way(case)


@rule(
    "arm-timeout", Side.STAMP, "nothing for minutes: it waits 300 s for an answer, and tries again"
)
def arm_timeout(case: FailureContext) -> Explained | None:
    fault = _at_arm(case, _OUT_OF_TIME)
    if fault is None:
        return None
    limit = f" in {fault.limit:g} s" if fault.limit is not None else " in time"
    evidence = (_when(case), *fault_lines(fault), *_answered(case), *route_lines(case))
    return f"ARM did not answer{limit}", evidence, _stamp_or_way(case)


def _when(case: FailureContext) -> str:
    return f"the check began {case.now:%Y-%m-%d %H:%M:%S} UTC"


def _paging(
    case: FailureContext, problem: ArmProblem, title: str, lines: Callable[[ArmFault], list[str]]
) -> tuple[ArmFault, str, tuple[str, ...]] | None:
    fault = case.fault
    if not isinstance(fault, ArmFault) or fault.problem is not problem:
        return None
    pages = len(case.step.evidence.exchanges)
    evidence = (*lines(fault), f"requests made: {pages}", *fault_lines(fault))
    return fault, title.format(fault.what), evidence


@rule("paging-loop", Side.STAMP, "nothing: it reads the same page for ever")
def paging_loop(case: FailureContext) -> Explained | None:
    told = _paging(
        case,
        ArmProblem.PAGING_LOOP,
        "The pages of {} lead back to one that was read already",
        lambda fault: [f"nextLink: {fault.message}"],
    )
    return (told[1], told[2], (_later(case), _operator(told[0]))) if told else None


@rule("paging-foreign-host", Side.STAMP, "nothing: it sends its token to that host")
def paging_foreign_host(case: FailureContext) -> Explained | None:
    arm = case.environment.arm
    told = _paging(
        case,
        ArmProblem.PAGING_FOREIGN_HOST,
        "The next page of {} is on another host: no token was sent there",
        lambda fault: [f"nextLink: {fault.message}", f"it is not of {arm}"],
    )
    if told is None:
        return None
    fault, title, evidence = told
    ids = "; ".join(id_lines(fault)) or "no request id was given"
    operator = Remedy(
        "The stamp's operator looks why ARM names another host than its own: a gateway in front "
        f"of it that does not pass the host name on, or a wrong setting ({ids})"
    )
    # Nothing to paste: the host is the answer's own word, and would be sent the next token.
    meant = Remedy(
        f"If you asked the stamp by another name than its own, ask its operator for the right one, "
        f"and set arm under {case.section} to that"
    )
    return title, evidence, (operator, meant)


RULES: tuple[Rule[FailureContext], ...] = (
    arm_throttled,
    arm_unavailable,
    arm_not_json,
    arm_reset,
    arm_timeout,
    paging_loop,
    paging_foreign_host,
)
