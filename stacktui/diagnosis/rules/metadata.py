"""Answers to the metadata request that are no metadata."""

from __future__ import annotations

from urllib.parse import urlsplit

from stacktui.diagnosis.case import Case, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import request_line, route_lines
from stacktui.environments.metadata import MetadataFault, MetadataProblem
from stacktui.environments.naming import OTHER_SERVICES

_AZ_JSON = (
    "Unable to get endpoints from the cloud. Response body does not contain valid json. "
    "Error detail: …"
)


_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@rule("metadata-intercepted", Side.NETWORK, _AZ_JSON)
def metadata_intercepted(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    fault = case.fault
    if not isinstance(fault, MetadataFault):
        return None
    elsewhere = _redirected_to(fault)
    page = fault.problem is MetadataProblem.HTML and fault.status == 200
    if not page and elsewhere in (None, case.host):
        return None
    if case.host.partition(".")[0] in OTHER_SERVICES:
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
def metadata_not_json(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
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
        url = case.last.url
        look = (
            f"curl -sS {bash(url)} | head -c 400",
            f"(Invoke-WebRequest {powershell(url)}).Content",
        )
    else:
        look = ("", "")
    remedies = (
        Remedy("Ask once more: a restart on the stamp can cut an answer short", *look),
        Remedy(
            "If it stays so, the stamp's operator must look at its Azure Resource Manager; "
            "give them the time and the request id"
        ),
    )
    return "The stamp's metadata is not JSON", tuple(evidence), remedies
