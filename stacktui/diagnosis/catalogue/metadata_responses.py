"""Responses to the metadata request that are complete but not metadata: a page, an error."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.check.step_names import StepName
from stacktui.diagnosis.az_messages import AZ_ENDPOINTS
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.gateway_answer import (
    AROUND_PROXY,
    LET_PASS,
    gateway_lines,
    is_from_stamp,
    names_gateway,
    redirected_to,
    says_blocked,
)
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import (
    HTTP_404,
    HTTP_500_OR_504,
    HTTP_502,
    HTTP_503,
    HTTP_OTHER_5XX,
    INTERNAL_SERVER_ERROR,
    SERVICE_UNAVAILABLE,
)
from stacktui.diagnosis.messages.metadata import (
    METADATA_400,
    METADATA_401_OR_403,
    METADATA_IS_A_PAGE,
    METADATA_NO_JSON,
    METADATA_PATH,
    METADATA_REDIRECTED,
    METADATA_UNREAD,
)
from stacktui.diagnosis.metadata_evidence import (
    answer_lines,
    metadata_fault,
    reporting_to_operator,
    request_ids,
)
from stacktui.diagnosis.remedies import (
    CHECK_OTHER_ENDPOINT,
    checking_again,
    fill_setting,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.diagnosis.retry import retry_lines, retry_time
from stacktui.environments.metadata import MetadataFault, MetadataProblem
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT, other_service
from stacktui.transport.records import TransportFault, TransportFaultKind

_ARM_ENDPOINTS = (USER_ENDPOINT, OPERATOR_ENDPOINT)
# The page title of a stamp's portals, and http.sys's message for a host name it does not serve.
_PORTAL_TITLE = "microsoft azure stack"
_UNSERVED = "invalid hostname"
# Faults on the way to a host that have nothing to do with which host it is.
_OF_THE_WAY = frozenset(
    {
        TransportFaultKind.DNS_TIMEOUT,
        TransportFaultKind.PROXY_UNREACHABLE,
        TransportFaultKind.PROXY_AUTH_REQUIRED,
        TransportFaultKind.PROXY_REFUSED,
        TransportFaultKind.PROXY_PROTOCOL,
    }
)


# metadata-wrong-url

_SET_ARM = RemedyTemplate(
    "Set the URL that the stamp's operator names, under {section}: "
    'arm = "https://management.<region>.<fqdn>"'
)


def _metadata_wrong_url(failure: FailureContext) -> Explanation | None:
    fault = metadata_fault(
        failure,
        MetadataProblem.STATUS,
        MetadataProblem.HTML,
        MetadataProblem.REDIRECT,
        MetadataProblem.NOT_JSON,
    )
    why = _why_wrong(failure, fault) if fault else _unreachable_why(failure)
    if why is None:
        return None
    evidence = [why, *answer_lines(failure)]
    if fault is None:
        evidence += fault_lines(failure.fault)
    elif fault.page_title:
        evidence.append(f"the page is titled: {fault.page_title}")
    if fault and fault.location:
        evidence.append(f"it redirects to: {fault.location}")
    remedies = tuple(
        fill_setting(CHECK_OTHER_ENDPOINT, failure, "arm", url, endpoint=url, whose=whose)
        for url, whose in _likely_arm_urls(failure)
    ) or (_SET_ARM.fill(section=failure.section),)
    title = f"{failure.host} is not the stamp's ARM endpoint"
    return Explanation(title, tuple(evidence), remedies)


def _why_named(failure: FailureContext) -> str | None:
    named = other_service(failure.host)
    if named is None:
        return None
    return f"by the naming rule {failure.host} is the stamp's {named[0]}; ARM is {named[1]}"


def _unreachable_why(failure: FailureContext) -> str | None:
    """Return why the URL is wrong whose host did not answer: by its name alone."""
    fault = failure.fault
    if not isinstance(fault, TransportFault) or fault.kind in _OF_THE_WAY:
        return None
    at_arm = failure.step.name == StepName.METADATA and failure.at_arm
    return _why_named(failure) if at_arm else None


def _why_wrong(failure: FailureContext, fault: MetadataFault) -> str | None:
    """Return why the URL is wrong: the host's name, else a response that ARM never gives."""
    if named := _why_named(failure):
        return named
    title = (fault.page_title or "").lower()
    if names_gateway(failure, title):
        return None
    if failure.host.partition(".")[0] in _ARM_ENDPOINTS:
        # The name is right: something else answers in place of ARM, unless the server says that
        # it has no such path.
        is_titled = fault.problem is MetadataProblem.STATUS and bool(title)
        return _no_such_path(failure) if is_titled and fault.status == 404 else None
    if fault.problem is MetadataProblem.HTML and title.startswith(_PORTAL_TITLE):
        return f"{failure.host} answers with a page of the stamp's portal"
    if fault.problem is not MetadataProblem.STATUS or fault.code:
        return None
    if fault.status == 404:
        return _no_such_path(failure)
    response = failure.last.response if failure.last else None
    if fault.status == 400 and response and _UNSERVED in response.excerpt.lower():
        return f"the server there does not serve the name {failure.host}"
    return None


def _no_such_path(failure: FailureContext) -> str:
    return f"{failure.host} knows no /metadata/endpoints (404), which every ARM endpoint has"


def _likely_arm_urls(failure: FailureContext) -> tuple[tuple[str, str], ...]:
    """Return the ARM URLs that may have been meant, by the name, else by the certificate."""
    if named := other_service(failure.host):
        hosts = [named[1]]
    else:
        names = failure.presented_chain[0].names if failure.presented_chain else ()
        arms = (name for name in names if name.partition(".")[0] in _ARM_ENDPOINTS)
        hosts = [name for name in arms if name != failure.host]
    port = "" if failure.port == 443 else f":{failure.port}"
    return tuple(
        (f"https://{host}{port}",
         "for operators" if host.startswith(OPERATOR_ENDPOINT) else "for users")
        for host in hosts[:2]
    )  # fmt: skip


METADATA_WRONG_URL = FaultInfo(
    id="metadata-wrong-url",
    group=Group.METADATA,
    sides=(Side.BOX,),
    meaning="The URL is a portal, vault or other service of the stamp, not its ARM.",
    distinguishing_evidence=(
        "By the stamp's naming rule the host is another service's, whatever fails there first, or "
        "it answers with the portal's page or a 404 that no ARM endpoint gives. Any other page "
        "under ARM's own name is "
        "`metadata-intercepted`."
    ),
    az_says=(
        AZ_ENDPOINTS
        + "Server returned status code 404 for https://… / Response body does not contain "
        "valid json. Error detail: … / Please ensure you have network connection. Error detail: …"
    ),
    patterns={
        METADATA_UNREAD: 15,
        MessagePattern(
            "the metadata was answered with 404", r"server returned status code 404"
        ): 90,
        MessagePattern(
            "the operator's resources were asked of the user's ARM",
            r"resource namespace '?microsoft\.[\w.]{1,60}\.admin'? is invalid",
        ): 92,
        MessagePattern(
            "the endpoint is no URL of an ARM",
            r"endpoint provided is invalid",
        ): 80,
        MessagePattern(
            "the endpoint has no https://",
            METADATA_PATH,
            also=r"no scheme supplied|missing an 'https?://'|unsupported protocol scheme",
        ): 92,
        MessagePattern(
            "the host asked for its metadata answered 404",
            METADATA_PATH,
            also=HTTP_404.regex,
        ): 90,
        METADATA_400: 70,
        METADATA_401_OR_403: 70,
        METADATA_REDIRECTED: 70,
        METADATA_NO_JSON: 42,
        METADATA_IS_A_PAGE: 80,
    },
    remedies=(CHECK_OTHER_ENDPOINT, _SET_ARM),
    rules=(_metadata_wrong_url,),
)


# metadata-intercepted


def _metadata_intercepted(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, MetadataFault):
        return None
    title = fault.page_title or ""
    page = fault.problem is MetadataProblem.HTML and fault.status == 200
    # A gateway that fails itself is `unexplained`: it tells nothing of the stamp behind it.
    fails = fault.status in (500, 502, 503, 504) and not says_blocked(title)
    marked = not fails and names_gateway(failure, title)
    if not page and not marked and redirected_to(failure) in (None, failure.host):
        return None
    if _why_wrong(failure, fault):
        return None  # a portal of the stamp answers so: metadata-wrong-url
    what = "A page came where the stamp's metadata should be: something on the way answers for it"
    remedies = (LET_PASS.fill(host=failure.host), AROUND_PROXY.fill(host=failure.host))
    return Explanation(what, gateway_lines(failure, title), remedies)


METADATA_INTERCEPTED = FaultInfo(
    id="metadata-intercepted",
    group=Group.METADATA,
    sides=(Side.NETWORK,),
    meaning="A page comes where the metadata should be: a captive portal or gateway.",
    distinguishing_evidence=(
        "ARM's own name is asked, and a page comes (200, or one that names its gateway), or a "
        "redirect to another host. A page of the stamp's portal is `metadata-wrong-url`; broken "
        "JSON `metadata-not-json`. At later steps it is `login-intercepted` or `arm-intercepted`. "
        "Here TLS is trusted, which `tls-intercepted` is not."
    ),
    az_says=AZ_ENDPOINTS + "Response body does not contain valid json. Error detail: …",
    patterns={
        METADATA_401_OR_403: 68,
        MessagePattern(
            "a network that wants a sign-in answered for the metadata",
            r"server returned status code 511",
        ): 92,
        METADATA_REDIRECTED: 80,
        METADATA_NO_JSON: 43,
        METADATA_IS_A_PAGE: 82,
    },
    remedies=(LET_PASS, AROUND_PROXY),
    rules=(_metadata_intercepted,),
)


# metadata-server-error

_RESTARTING = checking_again(
    "Run the check again in a minute: the stamp may just be restarting a service"
)
_ARM_BROKEN = reporting_to_operator("If it stays so, Azure Resource Manager is broken")


def _metadata_server_error(failure: FailureContext) -> Explanation | None:
    fault = _server_fault(failure)
    if fault is None or fault.status == 503:
        return None
    remedies = (
        _RESTARTING.fill(**failure.placeholders),
        _ARM_BROKEN.fill(ids=request_ids(failure)),
    )
    title = f"The stamp failed inside ({fault.status}) while giving its metadata"
    return Explanation(title, _status_lines(failure, fault), remedies)


def _server_fault(failure: FailureContext) -> MetadataFault | None:
    """Return a 5xx of the stamp: in ARM's JSON, or a page of the stamp's web server if
    it identifies itself; any other page may be a gateway's."""
    fault = metadata_fault(failure, MetadataProblem.STATUS)
    if fault is None or not 500 <= fault.status < 600:
        return None
    if other_service(failure.host):
        return None  # this host never has metadata: metadata-wrong-url
    response = failure.last.response if failure.last else None
    if response is None:
        return fault
    stamps_own = is_from_stamp(response) and not names_gateway(failure, fault.page_title or "")
    return fault if stamps_own else None


def _status_lines(failure: FailureContext, fault: MetadataFault) -> tuple[str, ...]:
    said = ": ".join(part for part in (fault.code, fault.message) if part) or fault.page_title
    lines = answer_lines(failure) or [fault.detail]
    if said:
        lines.append(f"it said {said}")
    return (*lines, *retry_lines(failure.last))


METADATA_SERVER_ERROR = FaultInfo(
    id="metadata-server-error",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The stamp fails inside while giving its metadata (5xx).",
    distinguishing_evidence=(
        "The stamp itself answers with 500, 502 or 504, and with a request id; 503 is "
        "`metadata-unavailable`. A gateway's page with such a status is not the stamp's: it is "
        "`unexplained`."
    ),
    az_says=AZ_ENDPOINTS + "Server returned status code 500 for https://…",
    patterns={
        METADATA_UNREAD: 13,
        MessagePattern(
            "the metadata was answered with another 5xx",
            r"server returned status code 5(?!03|11)\d\d",
        ): 92,
        MessagePattern(
            "the host asked for its metadata answered with another 5xx",
            METADATA_PATH,
            also=HTTP_OTHER_5XX.regex,
        ): 90,
        INTERNAL_SERVER_ERROR: 50,
        HTTP_500_OR_504: 48,
        HTTP_502: 48,
    },
    remedies=(_RESTARTING, _ARM_BROKEN),
    rules=(_metadata_server_error,),
)


# metadata-unavailable

_LATER = checking_again("Run the check again {when}", when="in a few minutes")
_ARM_DOWN = reporting_to_operator(
    "If it stays so, Azure Resource Manager is down (an update, a repair)"
)


def _metadata_unavailable(failure: FailureContext) -> Explanation | None:
    fault = _server_fault(failure)
    if fault is None or fault.status != 503:
        return None
    remedies = (
        _LATER.fill(**failure.placeholders, when=retry_time(failure.last, "in a few minutes")),
        _ARM_DOWN.fill(ids=request_ids(failure)),
    )
    title = "The stamp's Azure Resource Manager is not available just now (503)"
    return Explanation(title, _status_lines(failure, fault), remedies)


METADATA_UNAVAILABLE = FaultInfo(
    id="metadata-unavailable",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The stamp's ARM is not available just now (503).",
    distinguishing_evidence=(
        "The stamp answers with 503, and may say when to come back (Retry-After). Any other 5xx "
        "is `metadata-server-error`."
    ),
    az_says=AZ_ENDPOINTS + "Server returned status code 503 for https://…",
    patterns={
        MessagePattern(
            "the metadata was answered with 503", r"server returned status code 503"
        ): 92,
        MessagePattern(
            "the host asked for its metadata answered 503",
            METADATA_PATH,
            also=HTTP_503.regex,
        ): 90,
        SERVICE_UNAVAILABLE: 56,
        HTTP_503: 56,
    },
    remedies=(_LATER, _ARM_DOWN),
    rules=(_metadata_unavailable,),
)

# In order of precedence; METADATA_WRONG_URL comes before all that fails there.
FAULTS = (METADATA_INTERCEPTED, METADATA_SERVER_ERROR, METADATA_UNAVAILABLE)
