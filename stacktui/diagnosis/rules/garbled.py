"""Answers that came whole and can be nobody's: no HTTP, no list, or larger than any real one."""

from __future__ import annotations

from stacktui.check.report import StepName
from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.look import look_at
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import fault_lines, request_line, route_lines
from stacktui.transport.facts import TransportFault, TransportFaultKind

_KINDS = {
    TransportFaultKind.HTTP_PROTOCOL: "is not HTTP as it should be",
    TransportFaultKind.BODY_ENCODING: "cannot be unpacked",
    TransportFaultKind.TOO_LARGE: "is larger than any real one",
}
_AZ = "('Connection aborted.', BadStatusLine('…')) / Received response with content-encoding: gzip"


def _garbled(case: FailureContext, step: StepName) -> tuple[TransportFault, str] | None:
    fault = case.fault
    if case.step.name is not step or not isinstance(fault, TransportFault):
        return None
    what = _KINDS.get(fault.kind)
    # A proxy's answer to CONNECT is told of the proxy.
    return (fault, what) if what and (fault.host, fault.port) == (case.host, case.port) else None


def _evidence(case: FailureContext) -> tuple[str, ...]:
    asked = (request_line(case.last),) if case.last else ()
    return (*fault_lines(case.fault), *asked, *route_lines(case))


def _remedies(case: FailureContext, whose: str) -> tuple[Remedy, ...]:
    look = look_at(case, case.last.url.partition("?")[0]) if case.last else ("", "")
    return (
        Remedy(
            "Run the check again: a service may just be restarting",
            case.command("check", bash),
            case.command("check", powershell),
        ),
        Remedy(f"See who answers for {case.host}", *look),
        Remedy(
            f"If it stays so, whoever looks after {whose} looks at it, and at the load balancer "
            "before it"
        ),
    )


@rule("login-not-json", Side.SIGN_IN, _AZ)
def login_garbled(case: FailureContext) -> Explained | None:
    found = _garbled(case, StepName.TOKEN)
    if found is None:
        return None
    return f"What {case.host} answers {found[1]}", _evidence(case), _remedies(case, "sign-in")


RULES: tuple[Rule[FailureContext], ...] = (login_garbled,)
