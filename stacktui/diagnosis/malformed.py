"""Malformed responses: not HTTP, not a list, or larger than any real one."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines, id_lines
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.finding import Remedy
from stacktui.diagnosis.formatting import request_lines, route_lines
from stacktui.diagnosis.remedies import checking_again, fetching, fill_fetching
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.resources.model import ArmFault, ArmProblem
from stacktui.transport.records import TransportFault, TransportFaultKind

_KINDS = {
    TransportFaultKind.HTTP_PROTOCOL: "is not HTTP as it should be",
    TransportFaultKind.BODY_ENCODING: "cannot be unpacked",
    TransportFaultKind.TOO_LARGE: "is larger than any real one",
}
_PROBLEMS = {
    ArmProblem.SHAPE: "is JSON, but not in ARM's form",
    ArmProblem.TOO_LARGE: "is larger than any real one",
}
RUN_AGAIN = checking_again("Run the check again: a service may just be restarting")
SHOW_RESPONSE = fetching("See who answers for {host}")
ASK_OWNER = RemedyTemplate(
    "If it stays so, whoever looks after {whose} looks at it, and at the load balancer before it"
    "{ids}",
    shown={"whose": "the stamp", "ids": ""},
)


def malformed(failure: FailureContext, step: str) -> str | None:
    """Return what is wrong with the response that failed `step`; None for any other fault."""
    fault = failure.fault
    if failure.step.name is not step or not isinstance(fault, TransportFault):
        return None
    what = _KINDS.get(fault.kind)
    # A malformed response to CONNECT is a fault of the proxy.
    there = (fault.host, fault.port) == (failure.host, failure.port)
    return what if what and there else None


def malformed_list(failure: FailureContext) -> str | None:
    """Return what is wrong with a list that ARM sent as JSON; None for any other fault."""
    fault = failure.fault
    whole = isinstance(fault, ArmFault) and fault.status == 200
    return _PROBLEMS.get(fault.problem) if isinstance(fault, ArmFault) and whole else None


def malformed_lines(failure: FailureContext) -> tuple[str, ...]:
    """Return the evidence of a malformed response."""
    return (*fault_lines(failure.fault), *request_lines(failure), *route_lines(failure))


def follow_up_remedies(failure: FailureContext, whose: str) -> tuple[Remedy, ...]:
    """Return the remedies after the first: see who answers, and ask whoever runs it."""
    url = failure.last.url.partition("?")[0] if failure.last else None
    ids = "; ".join(id_lines(failure.fault)) if isinstance(failure.fault, ArmFault) else ""
    return (
        fill_fetching(SHOW_RESPONSE, failure, url, host=failure.host),
        ASK_OWNER.fill(whose=whose, ids=f" ({ids})" if ids else ""),
    )
