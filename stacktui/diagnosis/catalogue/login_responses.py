"""Responses of the login host without a token: throttled, failing, or no sign-in service."""

from __future__ import annotations

from dataclasses import replace

from stacktui.check.fault_text import fault_lines
from stacktui.check.step_names import StepName
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import body_lines, header_lines, request_lines, route_lines
from stacktui.diagnosis.gateway_answer import is_intercepted
from stacktui.diagnosis.malformed import ASK_OWNER, RUN_AGAIN, malformed, malformed_lines
from stacktui.diagnosis.message_pattern import MessagePattern, sign_in_code
from stacktui.diagnosis.messages.arm import (
    BAD_STATUS_LINE,
    HTTP_429,
    INTERNAL_SERVER_ERROR,
    NO_JSON,
    SERVICE_UNAVAILABLE,
)
from stacktui.diagnosis.messages.sign_in import NO_AUTHORITY, SIGN_IN_404, SIGN_IN_STATUS
from stacktui.diagnosis.remedies import bypassing_proxy, fetching, fill_fetching
from stacktui.diagnosis.remedy_template import RemedyTemplate, for_both
from stacktui.diagnosis.retry import retry_lines, retry_time
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS
from stacktui.identities.faults import SignInFault, SignInProblem

# Headers that identify the server.
_HEADERS = ("content-type", "server", "via", "location", "x-ms-request-id")


def _response_lines(failure: FailureContext, fault: SignInFault) -> tuple[str, ...]:
    """Return the evidence of a response."""
    lines = fault_lines(fault)
    if fault.page_title:
        lines.append(f"the page is titled: {fault.page_title}")
    lines += [*request_lines(failure), *header_lines(failure, *_HEADERS), *body_lines(failure)]
    return (*lines, *retry_lines(failure.last), *route_lines(failure))


# Whom to ask: AD FS is the stamp's or the company's, Entra has a public
# status page.
_ASK_ADFS = RemedyTemplate(
    "If it stays so, whoever runs the AD FS at {host} looks into its event log (AD FS/Admin) at "
    "that time, and at the service adfssrv{ids}",
    shown={"ids": ""},
)
_ASK_ENTRA = RemedyTemplate(
    "If it stays so, see the health of Entra at https://status.azure.com, and give Microsoft's "
    "support the time and the correlation id{ids}",
    shown={"ids": ""},
)
_ASK_OTHER = RemedyTemplate(
    "If it stays so, give whoever runs {host} the time and the correlation id{ids}",
    shown={"ids": ""},
)
ASK_SERVICE = (_ASK_ADFS, _ASK_ENTRA, _ASK_OTHER)


def ask_service(failure: FailureContext, fault: SignInFault | None = None) -> Remedy:
    """Return whom to ask, with the correlation id if the service gave one."""
    ids = f" ({fault.correlation_id})" if fault and fault.correlation_id else ""
    template = _ASK_OTHER
    if failure.adfs_signs_in:
        template = _ASK_ADFS
    elif failure.host in PUBLIC_LOGIN_HOSTS:
        template = _ASK_ENTRA
    return template.fill(host=failure.host, ids=ids)


# login-throttled

# Entra's codes for a throttled request, and for a client in a loop.
_THROTTLED = sign_in_code(
    "AADSTS90055", r"request was throttled|server is too busy|temporarily_unavailable"
)
_LOOP = sign_in_code(
    "AADSTS50196", note="AADSTS50196 is a loop: something asks for the same token again and again."
)
_WAIT = for_both(
    "Run the check again {when}; until then let nothing else sign in as this identity",
    "stacktui check{environment}",
    when="after the time that it gives",
)
_FIND_CALLER = RemedyTemplate(
    "If it comes back, find what signs in so often as this identity: a script should keep its "
    "token until it ends"
)


def _login_throttled(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, SignInFault) or not _is_throttled(fault):
        return None
    again = retry_time(failure.last, "in a few minutes")
    title = f"{failure.host} throttles sign-ins: it was asked too often"
    remedies = (_WAIT.fill(**failure.placeholders, when=again), _FIND_CALLER.fill())
    return Explanation(title, _response_lines(failure, fault), remedies)


def _is_throttled(fault: SignInFault) -> bool:
    return fault.status == 429 or fault.code in LOGIN_THROTTLED.codes


LOGIN_THROTTLED = FaultInfo(
    id="login-throttled",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in service was asked too often.",
    distinguishing_evidence=(
        "429, AADSTS90055 or AADSTS50196 (a client that asks in a loop), with the time to wait "
        "where it says one (Retry-After). A lock of one account is `account-locked`; ARM's own 429 "
        "`arm-throttled`."
    ),
    az_says="AADSTS90055: The request was throttled. … / 429",
    patterns={_THROTTLED: 94, _LOOP: 86, HTTP_429: 58},
    remedies=(_WAIT, _FIND_CALLER),
    refusal=Refusal(
        frozenset({_THROTTLED.code, _LOOP.code}),
        frozenset({"invalid_request", "invalid_grant", "temporarily_unavailable"}),
    ),
    rules=(_login_throttled,),
)


# login-server-error

# OAuth's errors for a failure of the service (RFC 6749 section 4.1.2.1); any other error is
# about the request, whatever its status.
_SERVER_ERRORS = frozenset({"", "server_error", "temporarily_unavailable"})
# AD FS's codes for its own failures, which it may answer with 400.
_FAILED_INSIDE = Refusal(
    frozenset({"MSIS7012", "MSIS9604"}), _SERVER_ERRORS | {"invalid_request", "invalid_grant"}
)
_SOON = "in a minute: the service may just be restarting"
_AGAIN_WHEN = for_both("Run the check again {when}", "stacktui check{environment}", when=_SOON)


def _login_server_error(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, SignInFault) or _is_throttled(fault):
        return None
    status = fault.status or 0
    if is_intercepted(failure, fault.page_title):
        return None
    inside = 500 <= status < 600 and fault.error in _SERVER_ERRORS
    if not inside and (status < 400 or fault.code not in _FAILED_INSIDE.codes):
        return None
    again = retry_time(failure.last, _SOON)
    title = f"The sign-in service {failure.host} failed inside ({fault.code or status})"
    remedies = (_AGAIN_WHEN.fill(**failure.placeholders, when=again), ask_service(failure, fault))
    return Explanation(title, _response_lines(failure, fault), remedies)


LOGIN_SERVER_ERROR = FaultInfo(
    id="login-server-error",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in service fails inside (5xx).",
    distinguishing_evidence=(
        "The service answers with a 5xx and no error of its own about the request, or AD FS with "
        "MSIS7012 or MSIS9604, whatever the status. 429 is "
        "`login-throttled`; a page instead of JSON with another status `login-not-json`."
    ),
    az_says="server_error: … / a traceback where it is no JSON",
    patterns={
        MessagePattern(
            "the sign-in service failed inside",
            r"msalserviceerror: http error: 5\d\d|msalserviceerror.{0,30}server_error"
            r"|" + SIGN_IN_STATUS + r"5\d\d",
        ): 135,
        MessagePattern("the service failed inside", r"\bserver_error\b"): 70,
        INTERNAL_SERVER_ERROR: 48,
        SERVICE_UNAVAILABLE: 36,
    },
    remedies=(_AGAIN_WHEN, *ASK_SERVICE),
    refusal=_FAILED_INSIDE,
    rules=(_login_server_error,),
)


# login-not-json

_NO_JSON = (SignInProblem.NOT_JSON, SignInProblem.SERVER_ERROR)
_SEE_WHO = fetching("See who answers for {host}: a gateway, a load balancer, a bare web server")
_GO_AROUND = bypassing_proxy("If it is the proxy, go round it for {host}")
_ASK_BALANCER = replace(ASK_OWNER, shown={"whose": "sign-in", "ids": ""})


def _login_not_json(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, SignInFault) or fault.problem not in _NO_JSON or _is_throttled(fault):
        return None
    if 500 <= (fault.status or 0) < 600:
        return None  # a 5xx may have any body
    if is_intercepted(failure, fault.page_title):
        return None
    host, through = failure.host, failure.connection.proxy.url if failure.connection else None
    around = (_GO_AROUND.fill(host=host),) if through else ()
    remedies = (_see_who(failure), *around, ask_service(failure, fault))
    title = f"{host} does not answer as a sign-in service does"
    return Explanation(title, _response_lines(failure, fault), remedies)


def _login_malformed(failure: FailureContext) -> Explanation | None:
    what = malformed(failure, StepName.TOKEN)
    if what is None:
        return None
    title = f"What {failure.host} answers {what}"
    remedies = (
        RUN_AGAIN.fill(**failure.placeholders),
        _see_who(failure),
        _ASK_BALANCER.fill(whose="sign-in", ids=""),
    )
    return Explanation(title, malformed_lines(failure), remedies)


def _see_who(failure: FailureContext) -> Remedy:
    url = failure.last.url.partition("?")[0] if failure.last else None
    return fill_fetching(_SEE_WHO, failure, url, host=failure.host)


LOGIN_NOT_JSON = FaultInfo(
    id="login-not-json",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The login host answers with a page, or in another form than a sign-in service.",
    distinguishing_evidence=(
        "A bare web server answers in its place, or what came is cut off; the report has the "
        "page's title. A gateway's page is `login-intercepted`, a 5xx `login-server-error`."
    ),
    az_says=(
        "JSONDecodeError: Expecting value … (a traceback) / ('Connection aborted.', "
        "BadStatusLine('…')) / Received response with content-encoding: gzip"
    ),
    patterns={
        NO_AUTHORITY: 60,
        MessagePattern(
            "the sign-in service answered in another form",
            r"msal",
            also=r"jsondecodeerror|expecting value: line",
        ): 90,
        SIGN_IN_404: 82,
        BAD_STATUS_LINE: 60,
        NO_JSON: 38,
    },
    remedies=(_SEE_WHO, _GO_AROUND, RUN_AGAIN, _ASK_BALANCER, *ASK_SERVICE),
    rules=(_login_not_json, _login_malformed),
)


# login-foreign-endpoint

_ASK_WHOSE = RemedyTemplate(
    "Ask whoever runs the sign-in at {authority} whether that host is theirs: its discovery "
    "document should name its own (a wrong host name in AD FS does this, too)",
    shown={"authority": "the login host"},
)
_SIGN_IN_NOWHERE = RemedyTemplate(
    "If they know nothing of it, sign in nowhere with this stamp: somebody on the way, or on the "
    "stamp, would collect secrets"
)


def _login_foreign_endpoint(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, SignInFault):
        return None
    if fault.problem is not SignInProblem.FOREIGN_TOKEN_ENDPOINT:
        return None
    evidence = (
        f"{fault.authority}: {fault.description}",
        "nothing was sent there: no secret, and no user name",
        *request_lines(failure),
        *route_lines(failure),
    )
    remedies = (_ASK_WHOSE.fill(authority=fault.authority), _SIGN_IN_NOWHERE.fill())
    title = "The login host names a token endpoint that no secret is sent to"
    return Explanation(title, evidence, remedies)


LOGIN_FOREIGN_ENDPOINT = FaultInfo(
    id="login-foreign-endpoint",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The login host sends sign-ins on to another host: no secret was sent there.",
    distinguishing_evidence=(
        "The discovery document of the login host names a token endpoint on a host that is not "
        "its own, nor a public login host's alias (the report names both), or one with a password "
        "in its URL. A login endpoint that "
        "differs from the recorded one is `metadata-drift`."
    ),
    az_says="nothing: it sends the secret to that host",
    remedies=(_ASK_WHOSE, _SIGN_IN_NOWHERE),
    rules=(_login_foreign_endpoint,),
)


# token-too-large

_LEAVE_GROUPS = RemedyTemplate(
    "Take the identity out of groups it does not need, or have its claims limited: a token lists "
    "every group (in Entra, groups assigned to the application are enough)"
)


def _token_too_large(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, SignInFault) or fault.problem is not SignInProblem.UNUSABLE_TOKEN:
        return None
    remedies = (_LEAVE_GROUPS.fill(), ask_service(failure, fault))
    title = "The token that came is larger than any request can carry"
    return Explanation(title, _response_lines(failure, fault), remedies)


TOKEN_TOO_LARGE = FaultInfo(
    id="token-too-large",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The token is larger than any request can carry.",
    distinguishing_evidence=(
        "A token came, and has more characters than a request's header may have; the report "
        "says how many. One that ARM refuses is `arm-unauthorized`."
    ),
    az_says="(…) Request Header Fields Too Large / Bad Request",
    patterns={MessagePattern("431", r"header fields too large|\(431\)|status code:? 431"): 84},
    remedies=(_LEAVE_GROUPS, *ASK_SERVICE),
    rules=(_token_too_large,),
)

# In order of precedence.
FAULTS = (
    LOGIN_THROTTLED,
    LOGIN_SERVER_ERROR,
    LOGIN_NOT_JSON,
    LOGIN_FOREIGN_ENDPOINT,
    TOKEN_TOO_LARGE,
)
