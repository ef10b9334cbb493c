"""Answers to the metadata request that are no metadata."""

from __future__ import annotations

from urllib.parse import urlsplit

from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.look import look_again
from stacktui.diagnosis.mends import set_value
from stacktui.diagnosis.rules.metadata_answers import (
    answer_lines,
    audience_foreign,
    login_endpoint_insecure,
    metadata_api_version,
    metadata_cut_short,
    metadata_fault,
    metadata_incomplete,
    metadata_reset,
    metadata_server_error,
    metadata_timeout,
    metadata_too_large,
    metadata_unavailable,
)
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import request_line, route_lines
from stacktui.environments.metadata import MetadataFault, MetadataProblem
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT, other_service

_AZ_JSON = (
    "Unable to get endpoints from the cloud. Response body does not contain valid json. "
    "Error detail: …"
)


_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ARM_ENDPOINTS = (USER_ENDPOINT, OPERATOR_ENDPOINT)
# How a stamp's portals title their pages, and what http.sys says of a name that it does not serve.
_PORTAL_TITLE = "microsoft azure stack"
_UNSERVED = "invalid hostname"


@rule(
    "metadata-wrong-url",
    Side.BOX,
    "Unable to get endpoints from the cloud. Server returned status code 404 for https://… / "
    "Response body does not contain valid json. Error detail: …",
)
def metadata_wrong_url(case: FailureContext) -> Explained | None:
    fault = metadata_fault(
        case, MetadataProblem.STATUS, MetadataProblem.HTML, MetadataProblem.REDIRECT
    )
    why = _why_wrong(case, fault) if fault else None
    if fault is None or why is None:
        return None
    evidence = [why, *answer_lines(case)]
    if fault.page_title:
        evidence.append(f"the page is titled: {fault.page_title}")
    if fault.location:
        evidence.append(f"it redirects to: {fault.location}")
    meant = _meant(case)
    remedies = tuple(
        set_value(case, f"Check {url} instead ({whose})", "arm", url) for url, whose in meant
    ) or (
        Remedy(
            f"Set the URL that the stamp's operator names, under {case.section}: "
            'arm = "https://management.<region>.<fqdn>"'
        ),
    )
    return f"{case.host} is not the stamp's ARM endpoint", tuple(evidence), remedies


def _why_wrong(case: FailureContext, fault: MetadataFault) -> str | None:
    """What tells that the URL is wrong: the host's name, else an answer that no ARM gives."""
    if named := other_service(case.host):
        return f"by the naming rule {case.host} is the stamp's {named[0]}; ARM is {named[1]}"
    if case.host.partition(".")[0] in _ARM_ENDPOINTS:
        return None  # the name is right: whoever answers so is in ARM's place
    title = (fault.page_title or "").lower()
    if fault.problem is MetadataProblem.HTML and title.startswith(_PORTAL_TITLE):
        return f"{case.host} answers with a page of the stamp's portal"
    if fault.problem is not MetadataProblem.STATUS or fault.code:
        return None
    if fault.status == 404:
        return f"{case.host} knows no /metadata/endpoints (404), which every ARM endpoint has"
    response = case.last.response if case.last else None
    if fault.status == 400 and response and _UNSERVED in response.excerpt.lower():
        return f"the server there does not serve the name {case.host}"
    return None


def _meant(case: FailureContext) -> tuple[tuple[str, str], ...]:
    """ARM URLs that may have been meant, and whose: by the name, else by the certificate."""
    if named := other_service(case.host):
        hosts = [named[1]]
    else:
        names = case.presented_chain[0].names if case.presented_chain else ()
        hosts = [name for name in names if name.partition(".")[0] in _ARM_ENDPOINTS]
    port = "" if case.port == 443 else f":{case.port}"
    return tuple(
        (f"https://{host}{port}",
         "for operators" if host.startswith(OPERATOR_ENDPOINT) else "for users")
        for host in hosts[:2]
    )  # fmt: skip


@rule("metadata-intercepted", Side.NETWORK, _AZ_JSON)
def metadata_intercepted(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, MetadataFault):
        return None
    elsewhere = _redirected_to(fault)
    page = fault.problem is MetadataProblem.HTML and fault.status == 200
    if not page and elsewhere in (None, case.host):
        return None
    if _why_wrong(case, fault):
        return None  # a portal of the stamp answers so by right: the URL is wrong, not the way
    title = "A page came where the stamp's metadata should be: something on the way answers for it"
    evidence = [request_line(case.last)] if case.last else []
    if fault.page_title:
        evidence.append(f"the page is titled: {fault.page_title}")
    if elsewhere:
        evidence.append(f"it redirects to {elsewhere}: {fault.location}")
    response = case.last.response if case.last else None
    evidence += [
        f"{name}: {value}"
        for name in ("server", "via")
        if response and (value := response.header(name))
    ]
    evidence += route_lines(case)
    host = case.host
    remedies = (
        Remedy(
            "Sign in at the captive portal or gateway whose page this is, or ask for a rule "
            f"that lets {host} pass"
        ),
        Remedy(
            f"If a proxy is in the way, go round it for {host}",
            f'export NO_PROXY={bash(host)}"${{NO_PROXY:+,$NO_PROXY}}"',
            f'$env:NO_PROXY = (@({powershell(host)}, $env:NO_PROXY) -ne $null) -join ","',
        ),
    )
    return title, tuple(evidence), remedies


def _redirected_to(fault: MetadataFault) -> str | None:
    """The host that a redirect names (RFC 9110 section 15.4); None if it names none."""
    if fault.problem is not MetadataProblem.REDIRECT or fault.status not in _REDIRECTS:
        return None
    try:
        return urlsplit(fault.location or "").hostname
    except ValueError:  # it is the server's own word
        return None


@rule("metadata-not-json", Side.STAMP, _AZ_JSON)
def metadata_not_json(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, MetadataFault) or fault.problem is not MetadataProblem.NOT_JSON:
        return None
    evidence = [f"reading it stopped: {fault.detail}"]
    if case.last:
        evidence.append(request_line(case.last))
        response = case.last.response
        if response and response.excerpt:
            evidence.append(f"it begins: {response.excerpt}")
        if response and (request_id := response.header("x-ms-request-id")):
            evidence.append(f"x-ms-request-id: {request_id}")
    remedies = (
        Remedy("Ask once more: a restart on the stamp can cut an answer short", *look_again(case)),
        Remedy(
            "If it stays so, the stamp's operator must look at its Azure Resource Manager; "
            "give them the time and the request id"
        ),
    )
    return "The stamp's metadata is not JSON", tuple(evidence), remedies


RULES: tuple[Rule[FailureContext], ...] = (
    metadata_timeout,
    metadata_too_large,
    metadata_wrong_url,
    metadata_intercepted,
    metadata_server_error,
    metadata_unavailable,
    metadata_api_version,
    metadata_not_json,
    metadata_cut_short,
    metadata_reset,
    metadata_incomplete,
    audience_foreign,
    login_endpoint_insecure,
)
