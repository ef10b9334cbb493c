"""Responses of ARM that are no list: unreadable, cut off, endless, or to a foreign host."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.check.step_names import StepName
from stacktui.check.write_probe import WRITING
from stacktui.diagnosis.catalogue.arm_refusals import (
    AGAIN_LATER,
    REPORT_TO_OPERATOR,
    answer_lines,
    fill_again_later,
    fill_report_to_operator,
    ids_of,
)
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import route_lines
from stacktui.diagnosis.gateway_answer import is_intercepted
from stacktui.diagnosis.malformed import (
    ASK_OWNER,
    SHOW_RESPONSE,
    follow_up_remedies,
    malformed,
    malformed_lines,
    malformed_list,
)
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import BAD_STATUS_LINE, NO_ANSWER_IN_TIME, NO_JSON
from stacktui.diagnosis.messages.network import CONNECTION_CLOSED, CONNECTION_RESET
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.records import PhaseName, TransportFault, TransportFaultKind

# arm-not-json


def _not_json(failure: FailureContext) -> Explanation | None:
    fault = failure.arm(ArmProblem.NOT_JSON)
    if fault is None:
        return None
    response = failure.last.response if failure.last else None
    kind = (response.header("content-type") if response else None) or ""
    if is_intercepted(failure, fault.page_title):
        return None
    evidence = [f"reading it stopped: {fault.message}"]
    evidence += [f"the page is titled: {fault.page_title}"] if fault.page_title else []
    evidence += [f"content-type: {kind}"] if kind else []
    evidence += [*answer_lines(failure), *fault_lines(fault)]
    remedies = (fill_again_later(failure, failure.last), fill_report_to_operator(fault))
    title = f"ARM's answer for {fault.what} is not whole JSON"
    return Explanation(title, tuple(evidence), remedies)


def _malformed(failure: FailureContext) -> Explanation | None:
    what = malformed_list(failure) or malformed(failure, StepName.RESOURCE_GROUPS)
    if what is None:
        return None
    # The Retry-After of a malformed response is not trusted.
    remedies = (fill_again_later(failure, None), *follow_up_remedies(failure, "the stamp"))
    return Explanation(f"What ARM answers {what}", malformed_lines(failure), remedies)


ARM_NOT_JSON = FaultInfo(
    id="arm-not-json",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="ARM's answer is not whole JSON.",
    distinguishing_evidence=(
        "The answer came to its end, and cannot be read; one that broke off is `arm-reset`, a "
        "gateway's page `arm-intercepted`."
    ),
    az_says=(
        "Expecting value: … / Unterminated string starting at: … / ('Connection aborted.', "
        "BadStatusLine('…')) / Received response with content-encoding: gzip / a traceback"
    ),
    patterns={BAD_STATUS_LINE: 60, NO_JSON: 40},
    remedies=(AGAIN_LATER, SHOW_RESPONSE, REPORT_TO_OPERATOR, ASK_OWNER),
    rules=(_not_json, _malformed),
)


# arm-reset, arm-timeout

_BREAKS = frozenset({TransportFaultKind.HTTP_RESET, TransportFaultKind.BODY_TRUNCATED})
_TIMEOUTS = frozenset({TransportFaultKind.FIRST_BYTE_TIMEOUT, TransportFaultKind.STEP_TIMEOUT})

_CHECK_HEALTH = RemedyTemplate(
    "If it stays so, whoever looks after the stamp{between} looks at its load balancer and ARM's "
    "health, at the time of the check",
    shown={"between": ""},
)


def _at_arm(failure: FailureContext, kinds: frozenset[TransportFaultKind]) -> TransportFault | None:
    """Return the fault if it is of a request about resource groups sent to ARM's host."""
    fault, last = failure.fault, failure.last
    if not isinstance(fault, TransportFault) or fault.kind not in kinds or last is None:
        return None
    if failure.step.name not in (StepName.RESOURCE_GROUPS, *WRITING) or not failure.at_arm:
        return None
    sent = any(each.name is PhaseName.REQUEST and each.ok for each in last.phases)
    return fault if sent else None


def _no_answer(failure: FailureContext, fault: TransportFault, title: str) -> Explanation:
    """Explain a request that the stamp, or something on the way to it, did not answer."""
    proxied = failure.connection is not None and failure.connection.proxy.url is not None
    between = ", or the proxy in between," if proxied else ""
    evidence = (
        f"the check began {failure.now:%Y-%m-%d %H:%M:%S} UTC",
        *fault_lines(fault),
        *answer_lines(failure),
        *route_lines(failure),
    )
    again = fill_again_later(failure, failure.last)
    return Explanation(title, evidence, (again, _CHECK_HEALTH.fill(between=between)))


def _arm_reset(failure: FailureContext) -> Explanation | None:
    fault = _at_arm(failure, _BREAKS)
    title = "The connection to ARM broke off before its answer was whole"
    return _no_answer(failure, fault, title) if fault else None


ARM_RESET = FaultInfo(
    id="arm-reset",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="The connection to ARM breaks off before its answer is whole.",
    distinguishing_evidence=(
        "TLS was up and the request was sent; before that it is `tcp-reset`. Silence is "
        "`arm-timeout`."
    ),
    az_says=(
        "('Connection aborted.', ConnectionResetError(104, …)) / Connection broken: "
        "IncompleteRead(…)"
    ),
    patterns={
        CONNECTION_RESET: 60,
        CONNECTION_CLOSED: 62,
        MessagePattern(
            "an answer that broke off",
            r"incompleteread|connection broken|chunkedencodingerror|transfer closed with",
        ): 84,
    },
    remedies=(AGAIN_LATER, _CHECK_HEALTH),
    rules=(_arm_reset,),
)


def _arm_timeout(failure: FailureContext) -> Explanation | None:
    fault = _at_arm(failure, _TIMEOUTS)
    if fault is None:
        return None
    limit = f" in {fault.limit:g} s" if fault.limit is not None else " in time"
    return _no_answer(failure, fault, f"ARM did not answer{limit}")


ARM_TIMEOUT = FaultInfo(
    id="arm-timeout",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="ARM does not answer in time.",
    distinguishing_evidence=(
        "The request was sent, and the bound that was hit is in the report. Where nothing could "
        "be sent, it is `tcp-timeout` or `tls-timeout`; for the metadata `metadata-timeout`."
    ),
    az_says="nothing for minutes: it waits 300 s for an answer, and tries again",
    patterns={NO_ANSWER_IN_TIME: 64},
    remedies=(AGAIN_LATER, _CHECK_HEALTH),
    rules=(_arm_timeout,),
)


# paging-loop, paging-foreign-host


def _paging_lines(failure: FailureContext, fault: ArmFault, *more: str) -> tuple[str, ...]:
    requests = f"requests made: {len(failure.step.evidence.exchanges)}"
    return (f"nextLink: {fault.message}", *more, requests, *fault_lines(fault))


def _paging_loop(failure: FailureContext) -> Explanation | None:
    fault = failure.arm(ArmProblem.PAGING_LOOP)
    if fault is None:
        return None
    title = f"The pages of {fault.what} lead back to one that was read already"
    remedies = (fill_again_later(failure, failure.last), fill_report_to_operator(fault))
    return Explanation(title, _paging_lines(failure, fault), remedies)


PAGING_LOOP = FaultInfo(
    id="paging-loop",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="The pages of a list lead back to one that was read already.",
    distinguishing_evidence=(
        "A nextLink repeats; the report has it. One that leads to another host is "
        "`paging-foreign-host`."
    ),
    az_says="nothing: it reads the same page for ever",
    remedies=(AGAIN_LATER, REPORT_TO_OPERATOR),
    rules=(_paging_loop,),
)

_CHECK_OWN_NAME = RemedyTemplate(
    "The stamp's operator looks why ARM names another host than its own: a gateway in front of it "
    "that does not pass the host name on, or a wrong setting ({ids})",
    shown={"ids": "the request ids are in the report"},
)
# No command: the host comes from the response, and would be sent the next token.
_USE_OWN_NAME = RemedyTemplate(
    "If you asked the stamp by another name than its own, ask its operator for the right one, and "
    "set arm under {section} to that"
)


def _paging_foreign_host(failure: FailureContext) -> Explanation | None:
    fault = failure.arm(ArmProblem.PAGING_FOREIGN_HOST)
    if fault is None:
        return None
    title = f"The next page of {fault.what} is on another host: no token was sent there"
    evidence = _paging_lines(failure, fault, f"it is not of {failure.environment.arm}")
    remedies: tuple[Remedy, ...] = (
        _CHECK_OWN_NAME.fill(ids=ids_of(fault)),
        _USE_OWN_NAME.fill(section=failure.section),
    )
    return Explanation(title, evidence, remedies)


PAGING_FOREIGN_HOST = FaultInfo(
    id="paging-foreign-host",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="The next page of a list is on another host: no token was sent there.",
    distinguishing_evidence=(
        "A nextLink leaves the origin of arm; the report has both. A gateway that does not pass "
        "the host's name on does this by mistake, somebody on the way on purpose."
    ),
    az_says="nothing: it sends its token to that host",
    remedies=(_CHECK_OWN_NAME, _USE_OWN_NAME),
    rules=(_paging_foreign_host,),
)

FAULTS = (ARM_NOT_JSON, ARM_RESET, ARM_TIMEOUT, PAGING_LOOP, PAGING_FOREIGN_HOST)
