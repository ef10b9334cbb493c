"""Metadata that the stamp itself fails to give, or gives in a form that nobody may use."""

from __future__ import annotations

import re

from stacktui.check.report import StepName
from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.look import look_again, look_at
from stacktui.diagnosis.retry import retry_lines, when
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import request_line, route_lines
from stacktui.environments.metadata import MetadataFault, MetadataProblem, metadata_url
from stacktui.environments.naming import other_service
from stacktui.transport.facts import PhaseName, ResponseFacts, TransportFaultKind

_AZ = "Unable to get endpoints from the cloud. "
# The web servers that a stamp is made of name themselves so (http.sys, IIS, its gateways).
_STAMPS_SERVER = "microsoft-"
# What comes after the handshake: only who answers there can be slow in it.
_ASKED = frozenset({PhaseName.REQUEST, PhaseName.FIRST_BYTE, PhaseName.BODY})
# An api-version as ARM lists them: a date, or the oldest of all.
_VERSION = re.compile(r"\b(?:20\d\d-\d\d-\d\d(?:-[a-z]+)?|1\.0)\b")
# ARM also quotes the id by which its logs know a failure.
_ID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_IDS = ("x-ms-request-id", "x-ms-correlation-request-id")


def metadata_fault(case: FailureContext, *problems: MetadataProblem) -> MetadataFault | None:
    """The fault, if it is the metadata's and one of `problems`."""
    fault = case.fault
    return fault if isinstance(fault, MetadataFault) and fault.problem in problems else None


def answer_lines(case: FailureContext) -> list[str]:
    """The request, who answered it, and the ids by which the operator finds it."""
    lines = [request_line(case.last)] if case.last else []
    response = case.last.response if case.last else None
    if response:
        shown = ((name, response.header(name)) for name in ("server", "via", *_IDS))
        lines += [f"{name}: {value}" for name, value in shown if value]
    return lines


def _tell_operator(case: FailureContext, what: str) -> Remedy:
    response = case.last.response if case.last else None
    found = [f"{name} {value}" for name in _IDS if response and (value := response.header(name))]
    message = case.fault.message if isinstance(case.fault, MetadataFault) else ""
    said = _ID.search(message)
    if said and not found:
        found = [f"the id in its words: {said[0]}"]
    ids = f"and the request id ({' and '.join(found)})" if found else "(no request id was given)"
    return Remedy(f"{what}; give the stamp's operator the time {ids}")


def _server_fault(case: FailureContext) -> MetadataFault | None:
    """A 5xx of the stamp's own: ARM speaks JSON, and a page is of the stamp's web server only if
    it says so; any other page may be a gateway's."""
    fault = metadata_fault(case, MetadataProblem.STATUS)
    if fault is None or not 500 <= fault.status < 600:
        return None
    if other_service(case.host):
        return None  # no metadata is to be had there, however well it is: the URL is wrong
    response = case.last.response if case.last else None
    return fault if response is None or _is_stamps(response) else None


def _is_stamps(response: ResponseFacts) -> bool:
    server = (response.header("server") or "").lower()
    return not response.excerpt.startswith("<") or server.startswith(_STAMPS_SERVER)


def _status_evidence(case: FailureContext, fault: MetadataFault) -> tuple[str, ...]:
    said = ": ".join(part for part in (fault.code, fault.message) if part) or fault.page_title
    lines = answer_lines(case) or [fault.detail]
    if said:
        lines.append(f"it said {said}")
    return (*lines, *retry_lines(case.last))


def _check_again(case: FailureContext, title: str) -> Remedy:
    return Remedy(title, case.command("check", bash), case.command("check", powershell))


@rule("metadata-server-error", Side.STAMP, _AZ + "Server returned status code 500 for https://…")
def metadata_server_error(case: FailureContext) -> Explained | None:
    fault = _server_fault(case)
    if fault is None or fault.status == 503:
        return None
    remedies = (
        _check_again(
            case, "Run the check again in a minute: the stamp may just be restarting a service"
        ),
        _tell_operator(case, "If it stays so, Azure Resource Manager is broken"),
    )
    title = f"The stamp failed inside ({fault.status}) while giving its metadata"
    return title, _status_evidence(case, fault), remedies


@rule("metadata-unavailable", Side.STAMP, _AZ + "Server returned status code 503 for https://…")
def metadata_unavailable(case: FailureContext) -> Explained | None:
    fault = _server_fault(case)
    if fault is None or fault.status != 503:
        return None
    remedies = (
        _check_again(case, f"Run the check again {when(case.last, 'in a few minutes')}"),
        _tell_operator(
            case, "If it stays so, Azure Resource Manager is down (an update, a repair)"
        ),
    )
    title = "The stamp's Azure Resource Manager is not available just now (503)"
    return title, _status_evidence(case, fault), remedies


@rule(
    "metadata-incomplete",
    Side.STAMP,
    "a traceback where authentication is missing or null (AttributeError, KeyError or TypeError); "
    "blank values are registered, and az login fails later",
)
def metadata_incomplete(case: FailureContext) -> Explained | None:
    fault = metadata_fault(case, MetadataProblem.INCOMPLETE)
    if fault is None:
        return None
    evidence = [fault.detail, *answer_lines(case)]
    response = case.last.response if case.last else None
    if response and response.excerpt:
        evidence.append(f"it begins: {response.excerpt}")
    remedies = (
        Remedy(
            f"See the whole answer: {fault.field or 'its sign-in data'} is what is wrong in it",
            *look_again(case),
        ),
        Remedy(
            "If this is an ARM endpoint of a stamp, its operator must mend its identity "
            f"configuration; else set the stamp's own: arm under {case.section}"
        ),
    )
    what = fault.field or "sign-in data"
    return f"The stamp's metadata does not say how to sign in: {what}", tuple(evidence), remedies


@rule(
    "login-endpoint-insecure",
    Side.STAMP,
    "Your given address (http://…) should consist of an https url with a minimum of one segment "
    "in a path",
)
def login_endpoint_insecure(case: FailureContext) -> Explained | None:
    fault = metadata_fault(case, MetadataProblem.LOGIN_INSECURE)
    if fault is None:
        return None
    evidence = [fault.detail, "refused: nothing was sent there", *answer_lines(case)]
    response = case.last.response if case.last else None
    if response and response.excerpt:
        evidence.append(f"it begins: {response.excerpt}")
    remedies = (
        Remedy(
            "See it with your own eyes: authentication.loginEndpoint begins with http:",
            *look_again(case),
        ),
        Remedy(
            "The stamp's operator must give its metadata an https: login endpoint. Until then "
            "sign in nowhere: a secret sent there can be read by anybody on the way"
        ),
    )
    title = "The stamp names a login endpoint that is plain http:, which stacktui refuses"
    return title, tuple(evidence), remedies


@rule("metadata-too-large", Side.STAMP, "nothing: az reads it all, however much it is")
def metadata_too_large(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.TOO_LARGE)
    if fault is None or case.step.name is not StepName.METADATA:
        return None
    bound = f"{fault.limit:,.0f} bytes" if fault.limit else "what a stamp needs"
    evidence = (f"the answer is {fault.detail}: reading stopped", *_sent_lines(case))
    remedies = (
        Remedy(
            "See how it begins: metadata has 2 KB, and names a loginEndpoint", *look_again(case)
        ),
        Remedy(
            f"If {case.host} is the stamp's ARM endpoint, its operator must look at what answers "
            f"there; else set the right one: arm under {case.section}"
        ),
    )
    return f"The answer to the metadata request is larger than {bound}", evidence, remedies


def _sent_lines(case: FailureContext) -> tuple[str, ...]:
    """The request and what came back of it, though not whole."""
    response = case.last.response if case.last else None
    lines = [f"{case.last.method} {case.last.url}"] if case.last else []
    if response:
        lines.append(f"status {response.status}")
        kind = response.header("content-type")
        lines += [f"content-type: {kind}"] if kind else []
    return (*lines, *route_lines(case))


@rule("metadata-timeout", Side.STAMP, "nothing: az waits for ever")
def metadata_timeout(case: FailureContext) -> Explained | None:
    bound = _waited(case)
    if bound is None or case.step.name is not StepName.METADATA:
        return None
    phases = case.last.phases if case.last else ()
    evidence = [
        f"{each.name}: {each.seconds:.1f} s" + ("" if each.ok else ", not finished")
        for each in phases
    ]
    if case.last and case.last.response:
        evidence.insert(0, f"the answer began ({case.last.response.status}), but never ended")
    else:
        evidence.insert(0, "the request was sent, and nothing came back")
    remedies = (
        _check_again(case, "Run the check again: the stamp may just be under load"),
        Remedy("Ask with more patience than a check has, and see whether it ever answers",
               *look_again(case)),
        _tell_operator(case, "If it stays so, Azure Resource Manager hangs"),
    )  # fmt: skip
    title = f"{case.host} takes the metadata request, and does not answer it within {bound:g} s"
    return title, (*evidence, *_sent_lines(case)), remedies


def _waited(case: FailureContext) -> float | None:
    """The bound that was hit while waiting for an answer, and for nothing before it."""
    fault = case.transport(TransportFaultKind.FIRST_BYTE_TIMEOUT)
    if fault is None:
        fault = case.transport(TransportFaultKind.STEP_TIMEOUT)
        phases = case.last.phases if case.last else ()
        if fault is None or not phases or phases[-1].ok or phases[-1].name not in _ASKED:
            return None
    return fault.limit or 0


# Beside `metadata.metadata_not_json`: there the answer ended in order, here the connection did not.
@rule("metadata-not-json", Side.STAMP, _AZ + "… Connection broken: IncompleteRead(…)")
def metadata_cut_short(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.BODY_TRUNCATED)
    if fault is None or case.step.name is not StepName.METADATA:
        return None
    response = case.last.response if case.last else None
    begins = (f"it begins: {response.excerpt}",) if response and response.excerpt else ()
    title = f"The metadata of {case.host} is cut short: the connection closed before its end"
    return title, (fault.detail, *_sent_lines(case), *begins), _again_look_or_tell(case)


@rule(
    "metadata-reset",
    Side.STAMP,
    _AZ + "… ('Connection aborted.', RemoteDisconnected('Remote end closed connection without …",
)
def metadata_reset(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.HTTP_RESET)
    if fault is None or case.step.name is not StepName.METADATA:
        return None
    title = f"{case.host} takes the metadata request, and closes the connection unanswered"
    return title, (fault.detail, *_sent_lines(case)), _again_look_or_tell(case)


def _again_look_or_tell(case: FailureContext) -> tuple[Remedy, ...]:
    return (
        _check_again(case, "Run the check again: a service may just be restarting"),
        Remedy("See what comes back", *look_again(case)),
        _tell_operator(case, "If it stays so, ARM or the load balancer before it breaks off"),
    )


@rule("audience-foreign", Side.STAMP, "nothing: it asks for that token, and gives it to the stamp")
def audience_foreign(case: FailureContext) -> Explained | None:
    fault = metadata_fault(case, MetadataProblem.AUDIENCE_FOREIGN)
    if fault is None:
        return None
    evidence = (
        fault.detail,
        f"{case.environment.arm} would be given the token, and could use it there in your name",
        "no token was asked for, and no secret was sent",
        *answer_lines(case),
    )
    remedies = (
        Remedy(
            "Ask the stamp's operator which audience its identity configuration has: a stamp's own "
            "is one that nothing else takes tokens for"
        ),
        Remedy(
            "Sign in nowhere until then: if the operator knows nothing of it, somebody on the way, "
            "or on the stamp, collects tokens"
        ),
    )
    return "The stamp asks for a token of Microsoft's public cloud", evidence, remedies


@rule(
    "metadata-api-version",
    Side.STAMP,
    _AZ + "Server returned status code 400 for https://…/metadata/endpoints?api-version=2015-01-01",
)
def metadata_api_version(case: FailureContext) -> Explained | None:
    fault = metadata_fault(case, MetadataProblem.API_VERSION)
    if fault is None:
        return None
    said = dict.fromkeys(_VERSION.findall(fault.message))
    named = [each for each in said if each not in fault.versions]
    evidence = [
        f"api-versions tried: {', '.join(fault.versions) or 'unknown'}; none of them worked",
        f"ARM says {fault.code}: {fault.message}",
    ]
    if named:
        evidence.append(f"api-versions it names: {', '.join(named)}")
    evidence += answer_lines(case)
    version = named[-1] if named else "1.0"
    remedies = (
        Remedy(
            f"See whether it answers to api-version {version}",
            *look_at(case, metadata_url(case.environment.arm, version)),
        ),
        Remedy(
            "The stamp's operator must say which build this is: every known one serves metadata "
            "by one of the versions tried"
        ),
    )
    return "The stamp serves its metadata by another api-version only", tuple(evidence), remedies
