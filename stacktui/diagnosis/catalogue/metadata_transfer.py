"""Responses to the metadata request that are missing, incomplete or unreadable."""

from __future__ import annotations

from stacktui.check.step_names import StepName
from stacktui.diagnosis.az_messages import AZ_ENDPOINTS
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import body_lines, header_lines, request_lines, route_lines
from stacktui.diagnosis.malformed import RUN_AGAIN, malformed, malformed_lines
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import BAD_STATUS_LINE, NO_ANSWER_IN_TIME, NO_JSON
from stacktui.diagnosis.messages.metadata import (
    METADATA_CONNECTION_RESET,
    METADATA_IS_A_PAGE,
    METADATA_NO_JSON,
    METADATA_UNREAD,
)
from stacktui.diagnosis.messages.network import CONNECTION_CLOSED
from stacktui.diagnosis.metadata_evidence import (
    fetching_metadata,
    metadata_fault,
    reporting_to_operator,
    request_ids,
)
from stacktui.diagnosis.remedies import checking_again, fill_fetching
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.environments.metadata import MetadataProblem
from stacktui.transport.records import PhaseName, TransportFault, TransportFaultKind

# Phases after the handshake, which only the server can delay.
_SERVER_PHASES = frozenset({PhaseName.REQUEST, PhaseName.FIRST_BYTE, PhaseName.BODY})
_SEE_ANSWER = fetching_metadata("See what comes back")
_AT_FAULT = reporting_to_operator("If it stays so, ARM or the load balancer before it is at fault")


def _fault(failure: FailureContext, kind: TransportFaultKind) -> TransportFault | None:
    """Return the fault if it is a transport fault of this kind in the metadata request."""
    return failure.transport(kind) if failure.step.name == StepName.METADATA else None


def _sent_lines(failure: FailureContext) -> tuple[str, ...]:
    """Return the request and the part of the response that arrived."""
    response = failure.last.response if failure.last else None
    lines = [f"{failure.last.method} {failure.last.url}"] if failure.last else []
    if response:
        lines.append(f"status {response.status}")
    return (*lines, *header_lines(failure, "content-type"), *route_lines(failure))


def _remedies(failure: FailureContext, url: str | None = None) -> tuple[Remedy, ...]:
    return (fill_fetching(_SEE_ANSWER, failure, url), _AT_FAULT.fill(ids=request_ids(failure)))


def _remedies_with_check(failure: FailureContext, url: str | None = None) -> tuple[Remedy, ...]:
    return (RUN_AGAIN.fill(**failure.placeholders), *_remedies(failure, url))


# metadata-timeout

_UNDER_LOAD = checking_again("Run the check again: the stamp may just be under load")
_WAIT_LONGER = fetching_metadata(
    "Ask with more patience than a check has, and see whether it ever answers"
)
_ARM_HANGS = reporting_to_operator("If it stays so, Azure Resource Manager hangs")


def _metadata_timeout(failure: FailureContext) -> Explanation | None:
    limit = _timeout_limit(failure)
    if limit is None:
        return None
    phases = failure.last.phases if failure.last else ()
    evidence = [
        f"{each.name}: {each.seconds:.1f} s" + ("" if each.ok else ", not finished")
        for each in phases
    ]
    if failure.last and failure.last.response:
        status = failure.last.response.status
        evidence.insert(0, f"the answer began ({status}), but never ended")
    else:
        evidence.insert(0, "the request was sent, and nothing came back")
    remedies = (
        _UNDER_LOAD.fill(**failure.placeholders),
        fill_fetching(_WAIT_LONGER, failure),
        _ARM_HANGS.fill(ids=request_ids(failure)),
    )
    title = f"{failure.host} takes the metadata request, and does not answer it within {limit:g} s"
    return Explanation(title, (*evidence, *_sent_lines(failure)), remedies)


def _timeout_limit(failure: FailureContext) -> float | None:
    """Return the limit (seconds) that was hit while waiting for the response, else None."""
    fault = _fault(failure, TransportFaultKind.FIRST_BYTE_TIMEOUT)
    if fault is None:
        fault = _fault(failure, TransportFaultKind.STEP_TIMEOUT)
        phases = failure.last.phases if failure.last else ()
        if fault is None or not phases or phases[-1].ok or phases[-1].name not in _SERVER_PHASES:
            return None
    return fault.limit or 0


METADATA_TIMEOUT = FaultInfo(
    id="metadata-timeout",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The stamp takes the request, and does not answer it in time.",
    distinguishing_evidence=(
        "TCP and TLS are up, unlike in `tcp-timeout` and `tls-timeout`; the report has each "
        "phase's seconds and the bound that was hit."
    ),
    az_says="nothing: az waits for ever",
    patterns={NO_ANSWER_IN_TIME: 52},
    remedies=(_UNDER_LOAD, _WAIT_LONGER, _ARM_HANGS),
    rules=(_metadata_timeout,),
)


# metadata-too-large

_SEE_BEGINNING = fetching_metadata(
    "See how it begins: metadata has 2 KB, and names a loginEndpoint"
)
_WHAT_ANSWERS = RemedyTemplate(
    "If {host} is the stamp's ARM endpoint, its operator must look at what answers there; else "
    "set the right one: arm under {section}"
)


def _metadata_too_large(failure: FailureContext) -> Explanation | None:
    fault = _fault(failure, TransportFaultKind.TOO_LARGE)
    if fault is None:
        return None
    limit = f"{fault.limit:,.0f} bytes" if fault.limit else "what a stamp needs"
    evidence = (f"the answer is {fault.detail}: reading stopped", *_sent_lines(failure))
    remedies = (
        fill_fetching(_SEE_BEGINNING, failure),
        _WHAT_ANSWERS.fill(host=failure.host, section=failure.section),
    )
    title = f"The answer to the metadata request is larger than {limit}"
    return Explanation(title, evidence, remedies)


METADATA_TOO_LARGE = FaultInfo(
    id="metadata-too-large",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The answer is larger than any metadata (1 MiB by default).",
    distinguishing_evidence=(
        "Reading stopped at the bound, which the report names. An answer that never ends but "
        "stays small is `metadata-timeout`."
    ),
    az_says="nothing: az reads it all, however much it is",
    remedies=(_SEE_BEGINNING, _WHAT_ANSWERS),
    rules=(_metadata_too_large,),
)


# metadata-not-json


def _not_json(failure: FailureContext) -> Explanation | None:
    """Explain a complete response whose body is not JSON."""
    fault = metadata_fault(failure, MetadataProblem.NOT_JSON)
    if fault is None:
        return None
    evidence = (
        f"reading it stopped: {fault.detail}",
        *request_lines(failure),
        *body_lines(failure),
        *header_lines(failure, "x-ms-request-id"),
    )
    return Explanation("The stamp's metadata is not JSON", evidence, _remedies(failure))


def _cut_short(failure: FailureContext) -> Explanation | None:
    fault = _fault(failure, TransportFaultKind.BODY_TRUNCATED)
    if fault is None:
        return None
    evidence = (fault.detail, *_sent_lines(failure), *body_lines(failure))
    title = f"The metadata of {failure.host} is cut short: the connection closed before its end"
    return Explanation(title, evidence, _remedies_with_check(failure))


def _malformed(failure: FailureContext) -> Explanation | None:
    what = malformed(failure, StepName.METADATA)
    if what is None or _fault(failure, TransportFaultKind.TOO_LARGE):
        return None  # metadata-too-large
    url = failure.last.url.partition("?")[0] if failure.last else None
    remedies = _remedies_with_check(failure, url)
    title = f"What {failure.host} answers {what}"
    return Explanation(title, malformed_lines(failure), remedies)


METADATA_NOT_JSON = FaultInfo(
    id="metadata-not-json",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The metadata is cut short, empty, or no JSON.",
    distinguishing_evidence=(
        "What came is no page, as in `metadata-intercepted`, and cannot be read to its end; the "
        "report says where reading stopped. JSON that is whole but lacks fields is "
        "`metadata-incomplete`."
    ),
    az_says=(
        AZ_ENDPOINTS
        + "Response body does not contain valid json. Error detail: … / … Connection broken: "
        "IncompleteRead(…) / … ('Connection aborted.', BadStatusLine('…')) / … Received response "
        "with content-encoding: gzip"
    ),
    patterns={
        METADATA_UNREAD: 12,
        METADATA_NO_JSON: 44,
        METADATA_IS_A_PAGE: 78,
        MessagePattern(
            "the metadata is JSON that breaks off or is damaged",
            METADATA_NO_JSON.regex,
            also=r"unterminated string|expecting ['\"]?[,:]|expecting property name|extra data"
            r"|invalid control character|invalid \\escape",
        ): 92,
        MessagePattern(
            "the metadata broke off",
            METADATA_UNREAD.regex,
            also=r"incompleteread|connection broken",
        ): 170,
        BAD_STATUS_LINE: 58,
        NO_JSON: 38,
    },
    remedies=(RUN_AGAIN, _SEE_ANSWER, _AT_FAULT),
    rules=(_not_json, _cut_short, _malformed),
)


# metadata-reset


def _metadata_reset(failure: FailureContext) -> Explanation | None:
    fault = _fault(failure, TransportFaultKind.HTTP_RESET)
    if fault is None:
        return None
    title = f"{failure.host} takes the metadata request, and closes the connection unanswered"
    evidence = (fault.detail, *_sent_lines(failure))
    return Explanation(title, evidence, _remedies_with_check(failure))


METADATA_RESET = FaultInfo(
    id="metadata-reset",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The stamp takes the request, and closes the connection unanswered.",
    distinguishing_evidence=(
        "TCP and TLS are up, unlike in `tcp-reset`. An answer that begins and is cut short is "
        "`metadata-not-json`, silence `metadata-timeout`."
    ),
    az_says=(
        AZ_ENDPOINTS
        + "… ('Connection aborted.', RemoteDisconnected('Remote end closed connection without …"
    ),
    patterns={
        METADATA_CONNECTION_RESET: 60,
        CONNECTION_CLOSED: 59,
        MessagePattern(
            "the metadata request was closed without an answer",
            METADATA_UNREAD.regex,
            also=r"remote end closed connection|remotedisconnected",
        ): 130,
    },
    remedies=(RUN_AGAIN, _SEE_ANSWER, _AT_FAULT),
    rules=(_metadata_reset,),
)

FAULTS = (METADATA_TIMEOUT, METADATA_TOO_LARGE, METADATA_NOT_JSON, METADATA_RESET)
